package dev.doorbell.vfio;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.fuzz.FuzzInput;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;

/// A function whose configuration space is any, and a guest that writes anything to it: of all that only Bus Master Enable reaches the function,
/// and a read of what the guest owns is what it wrote.
public final class GuestConfigFuzz {
  private static final int MOST_STEPS = 256;
  private static final int COMMAND = 4;
  private static final int BUS_MASTER = 4;
  private static final int CONVENTIONAL = 256;
  private static final int FIRST_BAR = 0x10;

  private static final RegisterBus NOTHING =
      new RegisterBus() {
        @Override
        public long read(long offset, int bytes) {
          return 0;
        }

        @Override
        public void write(long offset, long value, int bytes) {
          throw new IllegalStateException("a guest's write reaches a register of the function");
        }
      };

  private GuestConfigFuzz() {}

  /// Hardware that takes nothing but Bus Master Enable.
  private record Function(byte[] bytes) implements ConfigSpace {
    @Override
    public int size() {
      return bytes.length;
    }

    @Override
    public int read(int offset, int count) {
      int value = 0;
      for (int i = count - 1; i >= 0; i--) {
        value = value << Byte.SIZE | (offset + i < bytes.length ? bytes[offset + i] & 0xff : 0xff);
      }
      return value;
    }

    @Override
    public void write(int offset, int value, int count) {
      int changed = read(offset, count) ^ value;
      int mine = count == Integer.SIZE / Byte.SIZE ? -1 : (1 << count * Byte.SIZE) - 1;
      if (offset != COMMAND || (changed & mine & ~BUS_MASTER) != 0) {
        throw new IllegalStateException(
            "a guest's write reaches the function: 0x%x, %d bytes at 0x%x"
                .formatted(value, count, offset));
      }
      bytes[COMMAND] = (byte) value;
    }
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    byte[] space = new byte[(in.next8() & 1) == 0 ? CONVENTIONAL : 4096];
    byte[] given = in.next(Math.min(in.next16(), space.length));
    System.arraycopy(given, 0, space, 0, given.length);
    Function hardware = new Function(space);
    PciFunction function = PciFunction.of(Sbdf.parse("0000:00:01.0"), hardware, "fuzz");
    List<HostBar> bars =
        (space[FIRST_BAR] & 7) == 0 ? List.of(new HostBar(0, 0x1000, NOTHING)) : List.of();
    VirtualConfig config = VirtualConfig.of(function, hardware, bars, () -> {});
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      int bytes = 1 << in.next8() % 3;
      int offset = in.next16() & space.length - bytes;
      if ((in.next8() & 1) == 0) {
        config.read(offset, bytes);
      } else {
        config.write(offset, (int) in.next32(), bytes);
      }
    }
    config.reset();
    // A BAR that is there is sized by writing ones: its low bits are the function's.
    if (!bars.isEmpty()) {
      config.write(FIRST_BAR, -1, Integer.BYTES);
      if (config.read(FIRST_BAR, Integer.BYTES) != -0x1000 + (space[FIRST_BAR] & 0xf)) {
        throw new IllegalStateException("a BAR of 4 KiB is sized as another");
      }
    }
  }
}
