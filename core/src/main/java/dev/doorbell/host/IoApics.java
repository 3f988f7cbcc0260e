package dev.doorbell.host;

import dev.doorbell.bus.BusException;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.ioapic.IoapicDriver;
import dev.doorbell.irq.MsiController;
import dev.doorbell.machine.Machine;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The I/O APICs of a machine, each driven from when it is first asked for. Callers synchronise.
final class IoApics {
  private final Machine machine;
  private final Map<String, MsiController> controllers;
  private final Map<Integer, IoapicDriver> open = new LinkedHashMap<>();

  /// @param controllers by the ids of what remaps interrupts, and of the local APICs
  IoApics(Machine machine, Map<String, MsiController> controllers) {
    this.machine = machine;
    this.controllers = controllers;
  }

  /// {@return those that are driven, by the id that firmware gives them}
  Map<Integer, IoapicDriver> open() {
    return open;
  }

  /// {@return the driver of one}
  ///
  /// @throws NotAssignable when it is not there, or cannot be driven
  IoapicDriver driver(int id) {
    IoapicDriver known = open.get(id);
    if (known != null) {
      return known;
    }
    ApicDescription.IoApic a =
        machine.description().apic().stream()
            .flatMap(d -> d.ioApics().stream())
            .filter(i -> i.apicId() == id)
            .findFirst()
            .orElseThrow(() ->
                refused(id, "MADT", "firmware describes no such I/O APIC", Source.rule("MADT")));
    MsiController controller =
        a.iommu()
            .map(controllers::get)
            .or(this::localApics)
            .orElseThrow(() -> refused(id, "local APICs", "they are not driven", a.source()));
    if (a.iommu().isPresent() && a.sourceId().isEmpty()) {
      throw refused(
          id, a.iommu().get(), "which source-id its messages carry is not told", a.source());
    }
    try {
      IoapicDriver made =
          IoapicDriver.open(
              name(id),
              machine.registers(
                  a.registers()
                      .orElseThrow(
                          () -> refused(id, "MADT", "its registers are not told", a.source()))),
              controller,
              a.sourceId().orElse(0));
      open.put(id, made);
      return made;
    } catch (BusException e) {
      NotAssignable told =
          refused(id, "this machine", "nothing answers at its registers", a.source());
      told.initCause(e);
      throw told;
    }
  }

  static String name(int id) {
    return "ioapic:" + id;
  }

  private Optional<MsiController> localApics() {
    MachineDescription d = machine.description();
    return d.msiControllers().stream()
        .filter(c -> c instanceof MsiControllerDescription.LocalApic)
        .findFirst()
        .map(c -> controllers.get(c.id()));
  }

  private static NotAssignable refused(int id, String other, String why, Source source) {
    return new NotAssignable(name(id), other, why, source, "see doorbell inspect");
  }
}
