package dev.doorbell.vmm;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.kvm.KvmVm;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.MsixTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.HostBar;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionInfo;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.VirtualConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A function of the host as the guest has it: the only one behind the host bridge. For the thread of the guest's processor.
final class GuestFunction implements GuestBus.Place, AutoCloseable {
  private static final int COMMAND = (int) ConfigHeaderLayout.COMMAND.offset();
  private static final int FIRST_SLOT = 1;

  /// Global interrupt numbers from here up lead to messages; below are the controller's own lines.
  private static final int FIRST_GSI = GuestMap.INTERRUPTS;

  private final VirtualConfig config;
  private final GuestBars bars;
  private final GuestVectors vectors;

  /// @param place where the guest finds it
  GuestFunction(LinuxDevice device, KvmVm vm, Sbdf place) {
    this(device, vm, place, GuestMessages.of(vm));
  }

  private GuestFunction(LinuxDevice device, KvmVm vm, Sbdf place, GuestMessages guest) {
    PciFunction real =
        PciFunction.of(device.function(), device.config(), device.function().toString());
    config = VirtualConfig.of(real, device.config(), hostBars(device), device::reset);
    // The host's kernel answers accesses to the function's memory only while its own copy has this
    // on; whether the guest's function decodes is the guest's copy.
    device
        .config()
        .write(
            COMMAND,
            (int) ConfigHeaderLayout.MEMORY_SPACE_ENABLE.with(device.config().read16(COMMAND), 1),
            Short.BYTES);
    bars = new GuestBars(device, vm, FIRST_SLOT);
    vectors =
        new GuestVectors(
            device, guest, place.requesterId(), FIRST_GSI, kinds(device, config, place));
  }

  private static List<HostBar> hostBars(LinuxDevice device) {
    List<HostBar> out = new ArrayList<>();
    for (RegionInfo r : device.regions()) {
      if (r.type().ordinal() <= RegionType.BAR5.ordinal() && r.bytes() > 0) {
        out.add(new HostBar(r.type().ordinal(), r.bytes(), device.region(r.type())));
      }
    }
    return out;
  }

  private static List<GuestVectors.Kind> kinds(LinuxDevice device, ConfigSpace config, Sbdf place) {
    List<GuestVectors.Kind> out = new ArrayList<>();
    PciFunction f = PciFunction.of(place, config, place.toString());
    Optional<MsixCapability> msix = f.msix().thing();
    msix.ifPresent(m -> {
      RegisterBus table = device.region(RegionType.ofBar(m.tableBar()));
      RegisterBus pending = device.region(RegionType.ofBar(m.pbaBar()));
      MsixTable t = m.table(table, pending);
      out.add(
          new GuestVectors.Kind(IrqType.MSIX, t, m::isEnabled, m::isFunctionMasked, m::vectors));
    });
    Optional<MsiCapability> msi = f.msi().thing();
    msi.ifPresent(
        m -> out.add(new GuestVectors.Kind(IrqType.MSI, m, m::isEnabled, () -> false, m::granted)));
    return out;
  }

  /// {@return its configuration space, which acts on what is written}
  ConfigSpace config() {
    return new ConfigSpace() {
      @Override
      public int size() {
        return config.size();
      }

      @Override
      public int read(int offset, int bytes) {
        return config.read(offset, bytes);
      }

      @Override
      public void write(int offset, int value, int bytes) {
        config.write(offset, value, bytes);
        boolean decoding = ConfigHeaderLayout.MEMORY_SPACE_ENABLE.isSet(config.read16(COMMAND));
        bars.place(config, decoding);
        vectors.update();
      }
    };
  }

  @Override
  public Optional<GuestBus.At> at(long address) {
    return bars.at(address)
        .map(a ->
            new GuestBus.At(
                new RegisterBus() {
                  @Override
                  public long read(long offset, int bytes) {
                    return a.registers().read(offset, bytes);
                  }

                  @Override
                  public void write(long offset, long value, int bytes) {
                    a.registers().write(offset, value, bytes);
                    vectors.update();
                  }
                },
                a.offset()));
  }

  /// {@return vectors that lead to the guest}
  int led() {
    return vectors.led();
  }

  @Override
  public void close() {
    try (bars) {
      vectors.close();
    }
  }
}
