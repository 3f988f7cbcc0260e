package dev.doorbell.plan;

import dev.doorbell.pci.Sbdf;

/// One function's vectors.
///
/// @param advertised what the function could use
/// @param granted what it will get
/// @param limit what set that number, with its figure
public record LedgerLine(Sbdf sbdf, int advertised, int granted, String limit) {}
