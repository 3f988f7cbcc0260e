package dev.doorbell.vfio;

import dev.doorbell.bits.Register;
import dev.doorbell.pci.Capability;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.pci.MsixLayout;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PcieLayout;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A function's configuration space as its user sees it.
///
/// Each bit is one of three: the user's own copy (BARs, MSI, MSI-X, the switches that belong to the host), passed on to the function (Bus
/// Master Enable), or the function's own, which the user only reads. As VFIO's permission tables do, what is not known to be harmless is
/// read-only.
public final class VirtualConfig implements ConfigSpace {
  private static final int BAR_TYPE_64 = 2;

  private final ConfigSpace hardware;
  private final Runnable reset;
  private final OptionalInt deviceControl;
  private final boolean resettable;
  private final byte[] initial;
  private final byte[] values;
  private final byte[] own;
  private final byte[] writable;

  private VirtualConfig(PciFunction function, ConfigSpace hardware, Runnable reset) {
    this.hardware = hardware;
    this.reset = reset;
    int size = hardware.size();
    this.values = new byte[size];
    this.own = new byte[size];
    this.writable = new byte[size];
    Optional<ConfigAccess> express =
        function
            .capabilities()
            .find(CapabilityLayout.PCI_EXPRESS)
            .thing()
            .map(c -> new ConfigAccess(hardware, c.offset()));
    this.deviceControl =
        express
            .map(e -> OptionalInt.of(e.base() + (int) PcieLayout.DEVICE_CONTROL.offset()))
            .orElse(OptionalInt.empty());
    this.resettable =
        express
            .filter(e -> e.sees(PcieLayout.DEVICE_CONTROL))
            .filter(e -> e.isSet(PcieLayout.DEVICE_CAPABILITIES, PcieLayout.FLR_CAPABLE))
            .isPresent();
    declare(function);
    this.initial = values.clone();
  }

  /// @param bars the function's BARs with their sizes
  /// @param reset what an Initiate Function Level Reset does, of a function that has it
  public static VirtualConfig of(
      PciFunction function, ConfigSpace hardware, List<HostBar> bars, Runnable reset) {
    VirtualConfig c = new VirtualConfig(function, hardware, reset);
    c.declareBars(bars);
    System.arraycopy(c.values, 0, c.initial, 0, c.values.length);
    return c;
  }

  /// Puts the user's copy back to what it was at first.
  public synchronized void reset() {
    System.arraycopy(initial, 0, values, 0, values.length);
  }

  @Override
  public int size() {
    return values.length;
  }

  @Override
  public synchronized int read(int offset, int bytes) {
    int real = hardware.read(offset, bytes);
    int seen = 0;
    for (int i = 0; i < bytes; i++) {
      int from = i * Byte.SIZE;
      int b = real >>> from;
      if (offset + i < values.length) {
        int mask = own[offset + i];
        b = b & ~mask | values[offset + i] & mask;
      }
      seen |= (b & 0xff) << from;
    }
    return seen;
  }

  @Override
  public void write(int offset, int value, int bytes) {
    boolean resets;
    synchronized (this) {
      for (int i = 0; i < bytes && offset + i < values.length; i++) {
        int at = offset + i;
        int b = value >>> i * Byte.SIZE;
        values[at] = (byte) (values[at] & ~writable[at] | b & writable[at]);
      }
      passBusMaster(offset, value, bytes);
      resets = asksForReset(offset, value, bytes);
    }
    if (resets) {
      reset.run();
    }
  }

  private void passBusMaster(int offset, int value, int bytes) {
    int command = (int) ConfigHeaderLayout.COMMAND.offset();
    if (offset <= command && command < offset + bytes) {
      int given = value >>> (command - offset) * Byte.SIZE;
      ConfigAccess.header(hardware)
          .set(
              ConfigHeaderLayout.COMMAND,
              ConfigHeaderLayout.BUS_MASTER_ENABLE,
              ConfigHeaderLayout.BUS_MASTER_ENABLE.get(given));
    }
  }

  /// Initiate Function Level Reset is the top bit of the second byte of Device Control; a function without that capability does nothing
  /// about it (PCIe 6.0 7.5.3.4).
  private boolean asksForReset(int offset, int value, int bytes) {
    if (deviceControl.isEmpty() || !resettable) {
      return false;
    }
    int low = deviceControl.getAsInt();
    int high = low + 1;
    if (offset > high || high >= offset + bytes) {
      return false;
    }
    int control = offset > low ? value << Byte.SIZE : value >>> (low - offset) * Byte.SIZE;
    return PcieLayout.INITIATE_FLR.isSet(control);
  }

  private void declare(PciFunction function) {
    ConfigAccess header = ConfigAccess.header(hardware);
    long command =
        ConfigHeaderLayout.MEMORY_SPACE_ENABLE.mask()
            | ConfigHeaderLayout.IO_SPACE_ENABLE.mask()
            | ConfigHeaderLayout.INTERRUPT_DISABLE.mask();
    own(0, ConfigHeaderLayout.COMMAND, command, command, 0);
    ownWhole(0, ConfigHeaderLayout.CACHE_LINE_SIZE);
    ownWhole(0, ConfigHeaderLayout.INTERRUPT_LINE);
    own(0, ConfigHeaderLayout.INTERRUPT_PIN, -1, 0, 0);
    if (header.sees(ConfigHeaderLayout.ROM)) {
      own(0, ConfigHeaderLayout.ROM, -1, 0, 0);
    }
    for (int i = 0; i < ConfigHeaderLayout.BAR.count(); i++) {
      ownBar(i, 0, 0);
    }
    for (Capability c : function.capabilities().all()) {
      if (!c.extended() && c.id() == CapabilityLayout.MSI) {
        declareMsi(c.offset());
      } else if (!c.extended() && c.id() == CapabilityLayout.MSIX) {
        long switches = MsixLayout.ENABLE.mask() | MsixLayout.FUNCTION_MASK.mask();
        own(c.offset(), MsixLayout.CONTROL, switches, switches, 0);
      }
    }
    deviceControl.ifPresent(at -> {
      long all = -1L;
      long kept = all & ~PcieLayout.INITIATE_FLR.mask();
      own(
          at - (int) PcieLayout.DEVICE_CONTROL.offset(),
          PcieLayout.DEVICE_CONTROL,
          all,
          kept,
          hardware.read16(at) & kept);
    });
  }

  private void declareMsi(int at) {
    ConfigAccess msi = new ConfigAccess(hardware, at);
    long control = msi.read(MsiLayout.CONTROL);
    boolean wide = MsiLayout.ADDRESS64.isSet(control);
    boolean extended = MsiLayout.EXTENDED_CAPABLE.isSet(control);
    long switches =
        MsiLayout.ENABLE.mask()
            | MsiLayout.MULTIPLE_ENABLE.mask()
            | (extended ? MsiLayout.EXTENDED_ENABLE.mask() : 0);
    own(at, MsiLayout.CONTROL, switches, switches, 0);
    own(at, MsiLayout.MESSAGE_ADDRESS, -1, MsiLayout.ADDRESS.mask(), 0);
    if (wide) {
      ownWhole(at, MsiLayout.UPPER);
    }
    ownWhole(at, wide ? MsiLayout.DATA_64 : MsiLayout.DATA_32);
    if (extended) {
      ownWhole(at, wide ? MsiLayout.EXTENDED_DATA_64 : MsiLayout.EXTENDED_DATA_32);
    }
    if (MsiLayout.MASKABLE.isSet(control)) {
      ownWhole(at, wide ? MsiLayout.MASK_64 : MsiLayout.MASK_32);
    }
  }

  private void declareBars(List<HostBar> bars) {
    for (HostBar bar : bars) {
      // As VFIO does: a VF's user sees the type that the PF's capability tells.
      long low = Integer.toUnsignedLong(hardware.read32(barOffset(bar.index()))) | bar.type();
      long address = -bar.bytes();
      boolean io = ConfigHeaderLayout.BAR_IO.isSet(low);
      boolean wide =
          !io
              && ConfigHeaderLayout.BAR_TYPE.get(low) == BAR_TYPE_64
              && bar.index() + 1 < ConfigHeaderLayout.BAR.count();
      long bits =
          io ? ConfigHeaderLayout.IO_BAR_BASE.mask() : ConfigHeaderLayout.BAR_MEMORY_BASE.mask();
      // A BAR that does not lie at a multiple of its size is shown as one that does, or its user
      // would size it wrongly.
      ownBar(bar.index(), address & bits, low & (address | ~bits));
      if (wide) {
        ownBar(
            bar.index() + 1,
            address >>> Integer.SIZE,
            Integer.toUnsignedLong(hardware.read32(barOffset(bar.index() + 1))));
      }
    }
  }

  private static int barOffset(int index) {
    return (int) ConfigHeaderLayout.BAR.offset(index);
  }

  private void ownBar(int index, long bits, long now) {
    own(barOffset(index), ConfigHeaderLayout.BAR.bytes(), -1, bits, now);
  }

  private void ownWhole(int base, Register register) {
    own(base, register, -1, -1, 0);
  }

  private void own(int base, Register register, long mask, long canWrite, long now) {
    own(base + (int) register.offset(), register.bytes(), mask, canWrite, now);
  }

  private void own(int offset, int bytes, long mask, long canWrite, long now) {
    for (int i = 0; i < bytes && offset + i < values.length; i++) {
      int from = i * Byte.SIZE;
      own[offset + i] = (byte) (mask >>> from);
      writable[offset + i] = (byte) (canWrite >>> from);
      values[offset + i] = (byte) (now >>> from);
    }
  }
}
