// Colours for the standard output: only on a terminal, whatever a CI system says of itself.

import colors from "picocolors";

export const paint = colors.createColors(colors.isColorSupported && process.stdout.isTTY === true);
