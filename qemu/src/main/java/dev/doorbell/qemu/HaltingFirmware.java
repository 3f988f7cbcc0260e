package dev.doorbell.qemu;

import dev.doorbell.address.Sizes;

/// Firmware of a PC that halts: with it the machine's clock can run, and nobody reprograms what a driver has set up.
///
/// A PC's CPUs begin at the last sixteen bytes of the image, in real mode. Those bytes, and the first ones, where a far jump of another
/// firmware would lead, disable interrupts, halt, and begin anew should anything wake them.
///
/// **Source**: Intel SDM volume 2, CLI, HLT, JMP rel8; volume 3, 11.1.4 (first instruction at 0xfffffff0).
final class HaltingFirmware {
  private static final int BYTES = (int) (64 * Sizes.KIB);
  private static final int RESET_VECTOR = BYTES - 16;

  /// `cli; hlt; jmp -3`.
  private static final byte[] HALT = {(byte) 0xfa, (byte) 0xf4, (byte) 0xeb, (byte) 0xfd};

  private HaltingFirmware() {}

  static byte[] image() {
    byte[] out = new byte[BYTES];
    System.arraycopy(HALT, 0, out, 0, HALT.length);
    System.arraycopy(HALT, 0, out, RESET_VECTOR, HALT.length);
    return out;
  }
}
