package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.EndpointRegisters;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 3: the configuration space that a user sees")
class VirtualConfigTest {
  private final AtomicInteger resets = new AtomicInteger();

  private static EndpointModel endpoint(boolean flr) {
    return EndpointModel.create(
        new EndpointSpec(
            0xfffe,
            0xd00d,
            0xff0000,
            false,
            false,
            flr,
            List.of(),
            Optional.empty(),
            Optional.empty()),
        EndpointRegisters.NONE);
  }

  private VirtualConfig config(EndpointModel e) {
    PciFunction f = PciFunction.of(Sbdf.parse("00:01.0"), e.config(), "model");
    return VirtualConfig.of(f, e.config(), List.of(), resets::incrementAndGet);
  }

  @Test
  @DisplayName("PCIe 7.5.3.4: Initiate Function Level Reset is of functions that have it")
  void functionLevelReset() {
    int control = 0x40 + (int) PcieLayout.DEVICE_CONTROL.offset();
    for (boolean flr : new boolean[] {true, false}) {
      resets.set(0);
      VirtualConfig c = config(endpoint(flr));
      c.write(control, 0x8000, 2);
      c.write(control, 0x8000, 4);
      c.write(control + 1, 0x80, 1);
      assertEquals(flr ? 3 : 0, resets.get(), "each width of a write");
      c.write(control, 0x80, 1);
      c.write(control, 0x7fff, 2);
      c.write(control + 2, 0x8000, 2);
      c.write(0x8000 & 0xff, 0x8000, 2);
      assertEquals(flr ? 3 : 0, resets.get(), "and no other bit");
      assertEquals(0, c.read16(control) & 0x8000, "it reads as zero");
    }
  }

  @Test
  @DisplayName(
      "a 64-bit BAR in the last register has no upper half: what follows is the function's own")
  void lastBar() {
    EndpointModel e = endpoint(false);
    PciFunction f = PciFunction.of(Sbdf.parse("00:01.0"), e.config(), "model");
    HostBar last = new HostBar(5, 0x1000, 4, new NoRegisters());
    VirtualConfig c = VirtualConfig.of(f, e.config(), List.of(last), () -> {});
    c.write(0x24, -1, 4);
    c.write(0x28, -1, 4);
    assertEquals(0xffff_f004, c.read32(0x24));
    assertEquals(e.config().read32(0x28), c.read32(0x28));
  }

  /// A function's registers as plain numbers, and what of them is the user's own.
  ///
  /// **Source** PCI Express Base 6.0, 7.5.1, 7.5.3.4, 7.7.1, 7.7.2; Linux 6.12 `drivers/vfio/pci/vfio_pci_config.c`, which virtualises the same.
  private static final class Plain implements ConfigSpace {
    private static final int COMMAND = 4;
    final byte[] bytes;
    final byte[] own = new byte[256];
    final byte[] writable = new byte[256];
    final byte[] initial = new byte[256];
    final List<HostBar> bars = new ArrayList<>();

    Plain(SeededRandom random) {
      bytes = random.bytes(256);
      bytes[0x06] = (byte) (bytes[0x06] | 0x10);
      bytes[0x0e] = 0;
      bytes[0x34] = 0x40;
      mine(COMMAND, 2, 0x0403, 0x0403, 0);
      mine(0x0c, 1, -1, -1, 0);

      mine(0x30, 4, -1, 0, 0);
      mine(0x3c, 1, -1, -1, 0);
      mine(0x3d, 1, -1, 0, 0);
      for (int i = 0; i < 6; i++) {
        mine(0x10 + 4 * i, 4, -1, 0, 0);
        put(0x10 + 4 * i, 4, 0);
      }
      for (int i = 0; i < 6; i++) {
        i += random.oneIn(3) ? 0 : bar(random, i);
      }
      // Power management first, then those that matter, each or not.
      int at = 0x40;
      put(at, 2, 0x0001);
      at = express(random, at);
      at = msi(random, at);
      at = msix(random, at);
      put(at + 1, 1, 0);
    }

    /// Returns how many further registers it takes.
    private int bar(SeededRandom random, int index) {
      boolean wide = index < 5 && random.nextBoolean();
      long size = 1L << random.between(4, wide ? 35 : 31);
      long address = random.bits(wide ? 48 : 32) & (wide ? -size : -1L);
      long flags = (wide ? 4 : 0) | (random.nextBoolean() ? 8 : 0);
      int at = 0x10 + 4 * index;
      // A VF's register reads as zero, and the host tells the type that the PF has for it.
      boolean virtual = random.oneIn(3);
      address = virtual ? 0 : address;
      put(at, 4, virtual ? 0 : address & 0xffff_fff0L | flags);
      mine(at, 4, -1, -size & 0xffff_fff0L, address & -size & 0xffff_fff0L | flags);
      if (wide) {
        put(at + 4, 4, address >>> 32);
        mine(at + 4, 4, -1, -size >>> 32, address >>> 32);
      }
      bars.add(new HostBar(index, size, virtual ? (int) flags : 0, new NoRegisters()));
      return wide ? 1 : 0;
    }

    private int next(int from, int at, int id) {
      put(from + 1, 1, at);
      put(at, 1, id);
      return at;
    }

    private int express(SeededRandom random, int from) {
      if (random.oneIn(4)) {
        return from;
      }
      int at = next(from, 0x48, 0x10);
      mine(at + 8, 2, -1, 0x7fff, get(at + 8, 2) & 0x7fff);
      return at;
    }

    private int msi(SeededRandom random, int from) {
      if (random.oneIn(4)) {
        return from;
      }
      int at = next(from, 0x90, 0x05);
      int control = (int) random.bits(16) & ~0x000e | random.between(0, 5) << 1;
      put(at + 2, 2, control);
      int wide = (control & 0x80) != 0 ? 4 : 0;
      boolean extended = (control & 0x200) != 0;
      long switches = extended ? 0x471 : 0x71;
      mine(at + 2, 2, switches, switches, 0);
      mine(at + 4, 4, -1, 0xffff_fffcL, 0);
      if (wide != 0) {
        mine(at + 8, 4, -1, -1, 0);
      }
      mine(at + 8 + wide, 2, -1, -1, 0);
      if (extended) {
        mine(at + 10 + wide, 2, -1, -1, 0);
      }
      if ((control & 0x100) != 0) {
        mine(at + 12 + wide, 4, -1, -1, 0);
      }
      return at;
    }

    private int msix(SeededRandom random, int from) {
      if (random.oneIn(4)) {
        return from;
      }
      int at = next(from, 0xb0, 0x11);
      mine(at + 2, 2, 0xc000, 0xc000, 0);
      return at;
    }

    /// Says what of some bytes is the user's, what of that it can write, and what it finds there.
    private void mine(int at, int count, long mask, long canWrite, long now) {
      for (int i = 0; i < count; i++) {
        own[at + i] = (byte) (mask >>> 8 * i);
        writable[at + i] = (byte) (canWrite >>> 8 * i);
        initial[at + i] = (byte) (now >>> 8 * i);
      }
    }

    private void put(int at, int count, long value) {
      for (int i = 0; i < count; i++) {
        bytes[at + i] = (byte) (value >>> 8 * i);
      }
    }

    private long get(int at, int count) {
      return Integer.toUnsignedLong(read(at, count));
    }

    @Override
    public int size() {
      return bytes.length;
    }

    @Override
    public int read(int offset, int count) {
      int value = 0;
      for (int i = count - 1; i >= 0; i--) {
        value = value << 8 | bytes[offset + i] & 0xff;
      }
      return value;
    }

    @Override
    public void write(int offset, int value, int count) {
      assertEquals(COMMAND, offset, "a user's write reaches the function");
      assertEquals(
          0, (read(offset, count) ^ value) & 0xffff & ~4, "another bit than bus mastering");
      bytes[COMMAND] = (byte) value;
    }
  }

  private record NoRegisters() implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      return 0;
    }

    @Override
    public void write(long offset, long value, int bytes) {
      throw new AssertionError("a BAR is written");
    }
  }

  @Test
  @DisplayName("every bit is the user's own, passed on, or the function's, as it should be")
  void everyBit() {
    Property.check(
        "virtual configuration space",
        300,
        random -> {
          Plain plain = new Plain(random);
          PciFunction f = PciFunction.of(Sbdf.parse("00:01.0"), plain, "plain");
          VirtualConfig c = VirtualConfig.of(f, plain, plain.bars, () -> {});
          byte[] values = plain.initial.clone();
          for (int step = 0; step < 100; step++) {
            int bytes = 1 << random.below(3);
            int offset = random.below(256 / bytes) * bytes;
            int value = random.oneIn(3) ? -1 : (int) random.nextLong();
            boolean master = (plain.bytes[4] & 4) != 0;
            if (random.oneIn(20)) {
              c.reset();
              values = plain.initial.clone();
            } else {
              c.write(offset, value, bytes);
              for (int i = 0; i < bytes; i++) {
                int at = offset + i;
                values[at] =
                    (byte)
                        (values[at] & ~plain.writable[at] | value >>> 8 * i & plain.writable[at]);
              }
              master = offset == 4 ? (value & 4) != 0 : master;
            }
            assertEquals(master, (plain.bytes[4] & 4) != 0, "bus mastering");
            for (int at = 0; at < 256; at++) {
              int expected = plain.bytes[at] & ~plain.own[at] | values[at] & plain.own[at];
              assertEquals(expected & 0xff, c.read8(at), "byte 0x" + Integer.toHexString(at));
            }
            assertEquals(
                c.read16(offset & ~1), c.read32(offset & ~3) >>> 8 * (offset & 2) & 0xffff);
          }
        });
  }
}
