package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostOptions;
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

/// Our own stack on drivers and models of a described machine, to which functions were added.
final class EmbeddedLab implements VfioLab {
  /// Where functions go: on POWER below each bridge one.
  ///
  /// @param demos where three with MSI-X go
  /// @param msi where a function with MSI alone goes
  /// @param usedByHost where another goes that is in use
  record Places(List<Sbdf> demos, Sbdf msi, Sbdf usedByHost) {
    static final Places POWER9 = onPower("0003:00:01.0", "0004:00:01.0");

    /// On bus 0 of a machine with one root complex.
    static final Places PC =
        new Places(
            List.of(
                Sbdf.parse("0000:00:0a.0"), Sbdf.parse("0000:00:0b.0"), Sbdf.parse("0000:00:12.0")),
            Sbdf.parse("0000:00:0d.0"),
            Sbdf.parse("0000:00:0e.0"));

    static Places onPower(String msi, String usedByHost) {
      return new Places(
          List.of(
              Sbdf.parse("0000:00:01.0"), Sbdf.parse("0001:00:01.0"), Sbdf.parse("0002:00:01.0")),
          Sbdf.parse(msi),
          Sbdf.parse(usedByHost));
    }
  }

  /// How messages reach their controller.
  enum Messages {
    /// Past translation, and nobody can make another's.
    APART,
    /// Translated like other writes, and nobody can make another's.
    TRANSLATED,
    /// Translated like other writes, and whoever has the doorbell can make every message.
    FORGEABLE
  }

  private static final AddressRange WINDOW = AddressRange.ofSize(0x0800_0000L, 0x10_0000L);

  private final Messages messages;
  private final List<Sbdf> demos;
  private final Sbdf msi;
  private final Sbdf keptByHost;
  private final EmbeddedMachine machine;
  private final Vfio vfio;
  private final Assignment kept;

  /// {@return a captured machine}
  ///
  /// @param name below the shared folder
  static EmbeddedLab ofCapture(String name, Places places, HostOptions options) {
    return ofCapture(name, places, options, Messages.APART);
  }

  /// The same, where messages are translated.
  static EmbeddedLab ofCapture(String name, Places places, HostOptions options, Messages messages) {
    return new EmbeddedLab(
        Firmware.read(Sysroot.open(Shared.require(name))), places, options, messages);
  }

  EmbeddedLab(MachineDescription described, Places places, HostOptions options) {
    this(described, places, options, Messages.APART);
  }

  EmbeddedLab(MachineDescription described, Places places, HostOptions options, Messages messages) {
    this.messages = messages;
    this.demos = places.demos();
    this.msi = places.msi();
    this.keptByHost = places.usedByHost();
    MachineDescription m = described;
    for (Sbdf s : demos) {
      m = DemoEndpoint.plug(m, s, 64);
    }
    m = new WhatIf(keptByHost, 8, 0, true).addTo(m);
    m = new WhatIf(this.msi, 0, 8, true).addTo(m);
    machine = EmbeddedMachine.of(m);
    Host host = Host.start(machine, options);
    kept =
        Assignment.of(
            host,
            List.of(keptByHost),
            new Assignment.Request(
                Granule.K4,
                translatesMessages() ? Optional.of(WINDOW) : Optional.empty(),
                1,
                1,
                messages == Messages.FORGEABLE));
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

  /// A bridge of POWER takes messages by their address, and local APICs lie behind no translation.
  @Override
  public boolean translatesMessages() {
    return messages != Messages.APART;
  }

  @Override
  public List<Sbdf> msix() {
    return demos;
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
    return messages == Messages.FORGEABLE ? Optional.of(demos.getFirst()) : Optional.empty();
  }

  @Override
  public ContainerOptions options() {
    return messages == Messages.FORGEABLE
        ? ContainerOptions.USUAL.withUnsafeInterrupts()
        : ContainerOptions.USUAL;
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
