package dev.doorbell.machine;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.imsic.ImsicModel;
import dev.doorbell.hw.riscviommu.RiscvIommuFeatures;
import dev.doorbell.hw.riscviommu.RiscvIommuModel;
import java.util.Optional;

/// Builds what only RISC-V machines have: interrupt files of harts, and their IOMMU.
final class RiscvModels {
  private static final int MOST_OUTPUT_BITS = 48;

  private RiscvModels() {}

  /// {@return the harts' interrupt files, on the bus, with those of as many guests as there are pages for} The second set of a machine has no model.
  static Optional<ImsicModel> interruptFiles(MachineDescription machine, SystemMap bus) {
    Optional<Imsic> imsic = machine.imsic();
    return imsic.map(i -> {
      int guests = Math.min((1 << i.index().guestBits()) - 1, ImsicModel.MOST_GUESTS);
      ImsicModel model = new ImsicModel(i.files().size(), i.identities(), guests);
      for (Imsic.File f : i.files()) {
        bus.add("%s of CPU %d".formatted(i.id(), f.cpu()), f.page(), model.page(f.cpu()));
        for (int guest = 1; guest <= guests; guest++) {
          bus.add(
              "%s of guest %d of CPU %d".formatted(i.id(), guest, f.cpu()),
              AddressRange.ofSize(f.page().start() + guest * Imsic.FILE_BYTES, Imsic.FILE_BYTES),
              model.page(f.cpu(), guest));
        }
      }
      return model;
    });
  }

  /// {@return the harts' interrupt files of machine level, on the bus} Those that lie where something else is have no model.
  static Optional<ImsicModel> firmwareFiles(MachineDescription machine, SystemMap bus) {
    return machine
        .firmwareImsic()
        .filter(i -> i.files().stream().allMatch(f -> bus.isFree(f.page())))
        .map(i -> {
          ImsicModel model = new ImsicModel(i.files().size(), i.identities());
          for (Imsic.File f : i.files()) {
            bus.add("%s of CPU %d".formatted(i.id(), f.cpu()), f.page(), model.page(f.cpu()));
          }
          return model;
        });
  }

  /// Puts an IOMMU on the bus.
  ///
  /// {@return it, and where its registers are}
  static Placed iommu(
      IommuDescription.RiscvIommu iommu,
      MachineDescription machine,
      PhysicalMemory memory,
      SystemMap bus) {
    RiscvIommuModel model =
        new RiscvIommuModel(
            RiscvIommuFeatures.usual(iommu.abilities().outputBits().orElse(MOST_OUTPUT_BITS)),
            memory,
            bus);
    AddressRange window =
        iommu
            .registers()
            .map(r -> AddressRange.ofSize(r.start(), IommuDescription.RiscvIommu.REGISTER_BYTES))
            .orElseGet(() -> free(iommu, machine, bus));
    bus.add(iommu.id(), window, model);
    return new Placed(model, window);
  }

  /// An IOMMU and its registers.
  record Placed(RiscvIommuModel model, AddressRange window) {}

  /// The registers of an IOMMU that is a PCI function lie in its BAR, which the model of that function does not have: here they are at a place of
  /// the machine's own.
  private static AddressRange free(
      IommuDescription.RiscvIommu iommu, MachineDescription machine, SystemMap bus) {
    for (long at = Sizes.MIB; at < Sizes.TIB; at += Sizes.MIB) {
      AddressRange page = AddressRange.ofSize(at, IommuDescription.RiscvIommu.REGISTER_BYTES);
      boolean taken =
          !bus.isFree(page)
              || machine.msiControllers().stream()
                  .flatMap(c -> c.frame().stream())
                  .anyMatch(page::overlaps)
              || machine.hostBridges().stream().anyMatch(b -> meets(b, page));
      if (!taken) {
        return page;
      }
    }
    throw new NotModelled(iommu.id(), "no page is free for its registers", iommu.source());
  }

  private static boolean meets(HostBridge b, AddressRange page) {
    return b.ecam().filter(page::overlaps).isPresent()
        || b.windows().stream().anyMatch(w -> w.cpu().overlaps(page));
  }

  /// {@return why a RISC-V machine has no interrupt controller that a model stands for}
  static NotModelled without(MachineDescription machine) {
    Source source =
        machine.msiControllers().stream()
            .map(MsiControllerDescription::source)
            .findFirst()
            .orElse(Source.rule("MADT or device tree"));
    String have =
        machine.msiControllers().isEmpty()
            ? "firmware describes no MSI controller"
            : "%s is known by name only".formatted(machine.msiControllers().getFirst().id());
    return new NotModelled(
        "the interrupt controller", have + ", and no IMSIC, whose model there is", source);
  }
}
