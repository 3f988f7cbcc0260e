package dev.doorbell.vfio;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostVfio;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.machine.DemoEndpoint;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.WhatIf;
import dev.doorbell.testkit.Shared;
import java.util.List;
import java.util.Optional;

/// Our own stack on the drivers and models of POWER, with a function below each bridge of a described machine.
final class PowerLab implements VfioLab {
  private static final List<Sbdf> DEMOS =
      List.of(Sbdf.parse("0000:00:01.0"), Sbdf.parse("0001:00:01.0"), Sbdf.parse("0002:00:01.0"));
  private final Sbdf msi;
  private final Sbdf keptByHost;
  private final EmbeddedMachine machine;
  private final Vfio vfio;
  private final Assignment kept;

  PowerLab() {
    this(
        Firmware.read(Sysroot.open(Shared.require("captures/ppc64le/talos2-power9"))),
        "0003:00:01.0",
        "0004:00:01.0");
  }

  /// @param described a machine with bridges of segments 0 to 2 at least
  /// @param msi where a function with MSI alone goes
  /// @param usedByHost where another goes that is in use
  PowerLab(MachineDescription described, String msi, String usedByHost) {
    this.msi = Sbdf.parse(msi);
    this.keptByHost = Sbdf.parse(usedByHost);
    MachineDescription m = described;
    for (Sbdf s : DEMOS) {
      m = DemoEndpoint.plug(m, s, 64);
    }
    m = new WhatIf(keptByHost, 8, 0, true).addTo(m);
    m = new WhatIf(this.msi, 0, 8, true).addTo(m);
    machine = EmbeddedMachine.of(m);
    Host host = Host.start(machine);
    kept =
        Assignment.of(
            host,
            List.of(keptByHost),
            new Assignment.Request(Granule.K4, Optional.empty(), 1, 1, false));
    vfio = HostVfio.open(host);
  }

  @Override
  public Vfio vfio() {
    return vfio;
  }

  @Override
  public WindowAnswer windowAnswer() {
    return WindowAnswer.REGISTERED;
  }

  /// A bridge takes messages by their address.
  @Override
  public boolean translatesMessages() {
    return false;
  }

  @Override
  public List<Sbdf> msix() {
    return DEMOS;
  }

  @Override
  public Sbdf msi() {
    return msi;
  }

  @Override
  public Sbdf usedByHost() {
    return keptByHost;
  }

  @Override
  public Optional<Sbdf> notIsolated() {
    return Optional.empty();
  }

  @Override
  public void raise(Device device, int vector) {
    var unused = machine.fire(device.function(), vector);
    vfio.deliver();
  }

  @Override
  public boolean copy(Device device, Iova from, Iova to, int bytes) {
    RegisterBus r = device.region(RegionType.BAR0);
    r.write(DemoLayout.SOURCE.offset(), from.value(), Long.BYTES);
    r.write(DemoLayout.DESTINATION.offset(), to.value(), Long.BYTES);
    r.write(DemoLayout.LENGTH.offset(), bytes, Integer.BYTES);
    r.write(DemoLayout.COPY.offset(), DemoLayout.START.place(1), Integer.BYTES);
    long done = r.read(DemoLayout.COPIED.offset(), Integer.BYTES);
    return DemoLayout.DONE.isSet(done)
        && !DemoLayout.READ_ERROR.isSet(done)
        && !DemoLayout.WRITE_ERROR.isSet(done);
  }

  @Override
  public boolean isBusMaster(Sbdf function) {
    return ConfigHeaderLayout.BUS_MASTER_ENABLE.isSet(
        machine.config(function).read16((int) ConfigHeaderLayout.COMMAND.offset()));
  }

  @Override
  public void close() {
    vfio.close();
    kept.close();
  }
}
