/// Advanced platform-level interrupt controllers in MSI delivery mode: wires that become messages to interrupt files.
///
/// **Source**: RISC-V Advanced Interrupt Architecture 1.0, 4 (APLIC).
@org.jspecify.annotations.NullMarked
package dev.doorbell.hw.aplic;
