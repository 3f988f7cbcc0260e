package dev.doorbell.vmm;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.LinuxDevice;
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
import java.util.function.Consumer;

/// A function of the host as the guest has it: the only one behind the host bridge. For the thread of the guest's processor.
final class GuestFunction implements GuestBus.Place, AutoCloseable {
  private static final int COMMAND = (int) ConfigHeaderLayout.COMMAND.offset();
  private static final int FIRST_SLOT = 1;

  /// Global interrupt numbers from here up lead to messages; below are the controller's own lines.
  private static final int FIRST_GSI = GuestMap.INTERRUPTS;

  private final LinuxDevice device;
  private final VirtualConfig config;
  private final Consumer<String> notices;
  private final GuestBars bars;
  private final GuestVectors vectors;

  /// What a function needs of the guest that gets it.
  ///
  /// @param notices takes a sentence for the user, when something that the guest asks cannot be done
  record Surroundings(GuestMemory memory, GuestMessages messages, Consumer<String> notices) {}

  /// @param place where the guest finds it
  // What is mapped is closed here when something fails, and else by close().
  GuestFunction(LinuxDevice device, Surroundings guest, Sbdf place) {
    this.device = device;
    notices = guest.notices();
    PciFunction real =
        PciFunction.of(device.function(), device.config(), device.function().toString());
    config = VirtualConfig.of(real, device.config(), hostBars(device), this::reset);
    decode(ConfigHeaderLayout.BUS_MASTER_ENABLE.get(device.config().read16(COMMAND)));
    bars = new GuestBars(device, guest.memory(), FIRST_SLOT);
    try {
      vectors =
          new GuestVectors(
              device,
              guest.messages(),
              place.requesterId(),
              FIRST_GSI,
              kinds(device, config, place));
    } catch (RuntimeException | Error e) {
      bars.close();
      throw e;
    }
  }

  /// The host's kernel answers accesses to the function's memory only while its own copy has this on; whether the guest's function decodes is
  /// the guest's copy.
  private void decode(long busMaster) {
    long command = device.config().read16(COMMAND);
    command = ConfigHeaderLayout.BUS_MASTER_ENABLE.with(command, busMaster);
    command = ConfigHeaderLayout.MEMORY_SPACE_ENABLE.with(command, 1);
    device.config().write(COMMAND, (int) command, Short.BYTES);
  }

  /// An Initiate Function Level Reset of the guest's. Where the host's kernel does not reset the function, nothing of it changes, as with a
  /// function that has no such reset, and the user is told.
  private void reset() {
    try {
      device.reset();
    } catch (ErrnoException e) {
      notices.accept(
          "the guest resets %s, which stays as it is: %s"
              .formatted(device.function(), e.getMessage()));
      return;
    }
    config.reset();
    // The kernel puts back what was there before; a function that was reset is no bus master.
    decode(0);
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
