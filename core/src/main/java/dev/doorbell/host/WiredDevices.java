package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.aplic.AplicDriver;
import dev.doorbell.hw.hpet.HpetDriver;
import dev.doorbell.hw.ioapic.IoapicDriver;
import dev.doorbell.irq.MsiController;
import dev.doorbell.machine.Machine;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/// What sends interrupt messages and is no PCI function: the I/O APICs, HPETs and APLICs of a machine, each driven from when it is first asked for.
/// Callers synchronise.
final class WiredDevices {
  private final Machine machine;
  private final Map<String, MsiController> controllers;
  private final Map<Integer, IoapicDriver> ioApics = new LinkedHashMap<>();
  private final Map<Integer, HpetDriver> hpets = new HashMap<>();
  private final Map<Integer, AplicDriver> aplics = new LinkedHashMap<>();

  /// @param controllers by the ids of what remaps interrupts, of the local APICs, and of interrupt files
  WiredDevices(Machine machine, Map<String, MsiController> controllers) {
    this.machine = machine;
    this.controllers = controllers;
  }

  /// What firmware tells of one.
  ///
  /// @param table the table that tells of its registers
  private record Told(
      String name,
      String table,
      Optional<AddressRange> registers,
      Optional<String> iommu,
      OptionalInt sourceId,
      Source source) {
    NotAssignable refused(String other, String why) {
      return WiredDevices.refused(name, other, why, source);
    }
  }

  /// {@return the I/O APICs that are driven, by the id that firmware gives them}
  Map<Integer, IoapicDriver> ioApics() {
    return ioApics;
  }

  /// {@return the driver of an I/O APIC}
  ///
  /// @throws NotAssignable when it is not there, or cannot be driven
  IoapicDriver ioApic(int id) {
    IoapicDriver known = ioApics.get(id);
    if (known != null) {
      return known;
    }
    String name = "ioapic:" + id;
    ApicDescription.IoApic a =
        machine.description().apic().stream()
            .flatMap(d -> d.ioApics().stream())
            .filter(i -> i.apicId() == id)
            .findFirst()
            .orElseThrow(() ->
                refused(name, "MADT", "firmware describes no such I/O APIC", Source.rule("MADT")));
    Told told = new Told(name, "MADT", a.registers(), a.iommu(), a.sourceId(), a.source());
    MsiController controller = controller(told);
    int sourceId = a.sourceId().orElse(0);
    IoapicDriver made =
        opened(told, registers -> IoapicDriver.open(name, registers, controller, sourceId));
    ioApics.put(id, made);
    return made;
  }

  /// {@return the driver of an HPET}
  ///
  /// @throws NotAssignable when it is not there, or cannot be driven
  HpetDriver hpet(int number) {
    HpetDriver known = hpets.get(number);
    if (known != null) {
      return known;
    }
    String name = "hpet:" + number;
    MachineDescription d = machine.description();
    ApicDescription.Hpet h =
        d.apic().stream()
            .flatMap(a -> a.hpets().stream())
            .filter(i -> i.number() == number)
            .findFirst()
            .orElseThrow(() ->
                refused(name, "HPET", "firmware describes no such timer", Source.rule("HPET")));
    Told told = new Told(name, "HPET", h.registers(), h.iommu(), h.sourceId(), h.source());
    if (d.isRemapperUntold(h)) {
      throw told.refused(
          "IOMMUs", "interrupts are remapped, and firmware does not tell by whom its messages are");
    }
    MsiController controller = controller(told);
    int sourceId = h.sourceId().orElse(0);
    HpetDriver made =
        opened(told, registers -> HpetDriver.open(name, registers, controller, sourceId));
    hpets.put(number, made);
    return made;
  }

  /// {@return the APLICs that are driven, by their numbers}
  Map<Integer, AplicDriver> aplics() {
    return aplics;
  }

  /// {@return the driver of an APLIC}
  ///
  /// @throws NotAssignable when it is not there, or cannot be driven
  /// @throws dev.doorbell.hw.aplic.DirectDelivery when it sends no messages
  AplicDriver aplic(int number) {
    AplicDriver known = aplics.get(number);
    if (known != null) {
      return known;
    }
    String name = "aplic:" + number;
    Optional<MsiControllerDescription.Imsic> imsic = machine.description().imsic();
    AplicDescription a =
        imsic.stream()
            .flatMap(i -> i.aplics().stream())
            .filter(i -> i.number() == number)
            .findFirst()
            .orElseThrow(() ->
                refused(
                    name,
                    "firmware",
                    "firmware describes no such APLIC that sends messages to interrupt files",
                    Source.rule("MADT or device tree")));
    Told told =
        new Told(
            name,
            "firmware",
            Optional.of(a.registers()),
            Optional.empty(),
            OptionalInt.empty(),
            a.source());
    MsiController files = controllers.get(imsic.orElseThrow().id());
    if (files == null) {
      throw told.refused(imsic.get().id(), "its interrupt files are not driven");
    }
    AplicDriver made =
        opened(
            told,
            registers ->
                AplicDriver.open(
                    name,
                    registers,
                    a.sources(),
                    files,
                    cpu -> AplicDescription.hartIndex(imsic.get(), cpu)));
    aplics.put(number, made);
    return made;
  }

  private MsiController controller(Told of) {
    MsiController controller =
        of.iommu()
            .map(controllers::get)
            .or(this::localApics)
            .orElseThrow(() -> of.refused("local APICs", "they are not driven"));
    if (of.iommu().isPresent() && of.sourceId().isEmpty()) {
      throw of.refused(of.iommu().get(), "which source-id its messages carry is not told");
    }
    return controller;
  }

  private <D> D opened(Told of, Function<RegisterBus, D> driver) {
    AddressRange registers =
        of.registers().orElseThrow(() -> of.refused(of.table(), "its registers are not told"));
    try {
      return driver.apply(machine.registers(registers));
    } catch (BusException e) {
      NotAssignable told = of.refused("this machine", "nothing answers at its registers");
      told.initCause(e);
      throw told;
    }
  }

  private Optional<MsiController> localApics() {
    return machine.description().msiControllers().stream()
        .filter(c -> c instanceof MsiControllerDescription.LocalApic)
        .findFirst()
        .map(c -> controllers.get(c.id()));
  }

  private static NotAssignable refused(String name, String other, String why, Source source) {
    return new NotAssignable(name, other, why, source, "see doorbell inspect");
  }
}
