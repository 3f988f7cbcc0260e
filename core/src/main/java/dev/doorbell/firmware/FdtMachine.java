package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.GicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Puts a machine together from its device tree.
///
/// **Source**: Devicetree Specification 0.4; the bindings of Linux `Documentation/devicetree/bindings`: `interrupt-controller/arm,gic-v3.yaml`,
/// `arm,gic.yaml`, `iommu/arm,smmu-v3.yaml`, `iommu/arm,smmu.yaml`, `virtio/pci-iommu.yaml`, `virtio/mmio.yaml`.
final class FdtMachine {
  private static final String[] GICV2 = {
    "arm,gic-400",
    "arm,cortex-a15-gic",
    "arm,cortex-a7-gic",
    "arm,cortex-a9-gic",
    "arm,cortex-a5-gic",
    "arm,pl390",
    "arm,gic-v2",
    "qcom,msm-qgic2",
    "brcm,brahma-b15-gic"
  };
  private static final Map<String, String> SMMUS = smmus();
  private static final long MBI_SETSPI = 0x40;
  private static final long ITS_BYTES = 0x2_0000;

  private final Draft draft;
  private final FdtTree tree;
  private final FdtAddresses addresses;
  private final FdtRiscv riscv;
  private final Map<FdtNode, String> iommus = new LinkedHashMap<>();
  private final Map<FdtNode, String> controllers = new LinkedHashMap<>();

  private FdtMachine(Draft draft, FdtTree tree) {
    this.draft = draft;
    this.tree = tree;
    this.addresses = new FdtAddresses(draft);
    this.riscv = new FdtRiscv(draft, tree, addresses);
  }

  /// A StreamID has 16 bits at most (IHI 0062 D.c, 9.6.25).
  private static final int STREAM_BITS = 0xffff;

  private static Map<String, String> smmus() {
    Map<String, String> out = new LinkedHashMap<>();
    out.put("nvidia,smmu-500", "");
    out.put("arm,mmu-500", "MMU-500");
    out.put("qcom,smmu-500", "MMU-500");
    out.put("arm,mmu-400", "MMU-400");
    out.put("arm,mmu-401", "MMU-401");
    out.put("cavium,smmu-v2", "Cavium ThunderX SMMUv2");
    out.put("qcom,smmu-v2", "SMMUv2");
    out.put("arm,smmu-v2", "SMMUv2");
    out.put("arm,smmu-v1", "SMMUv1");
    return out;
  }

  static void compose(Draft draft, FdtTree tree) {
    FdtMachine machine = new FdtMachine(draft, tree);
    draft.firmware = FirmwareKind.DEVICE_TREE;
    draft.arch = FdtArch.of(tree);
    machine.each(machine::memory);
    machine.each(machine::interruptController);
    machine.each(machine::iommu);
    FdtFreescale freescale =
        new FdtFreescale(draft, tree, machine.addresses, machine.iommus, machine.controllers);
    machine.each(freescale::controller);
    FdtPower power = new FdtPower(draft, tree, machine.addresses);
    FdtBridges bridges =
        new FdtBridges(
            draft,
            tree,
            machine.addresses,
            new FdtOwners(machine.iommus, machine.controllers, freescale, power));
    bridges.compose();
    bridges.reservations();
    machine.riscv.wiresOnly();
    freescale.finish();
    power.finish();
    if (draft.arch == Arch.UNKNOWN && draft.gic.isPresent()) {
      draft.arch = Arch.ARM64;
    }
  }

  private void each(java.util.function.Consumer<FdtNode> reader) {
    for (FdtNode node : tree.nodes()) {
      try {
        reader.accept(node);
      } catch (MalformedException e) {
        draft.findings.odd(e);
      }
    }
  }

  private void memory(FdtNode node) {
    boolean named = node.name().equals("memory") || node.name().startsWith("memory@");
    boolean atRoot = node.parent().filter(p -> p == tree.root()).isPresent();
    if (node.enabled()
        && atRoot
        && (named || node.text("device_type").equals(Optional.of("memory")))) {
      for (AddressRange range : addresses.registers(node)) {
        draft.memory.add(
            new MachineDescription.Memory(range, node.property("reg").orElseThrow().source()));
      }
    }
  }

  private void interruptController(FdtNode node) {
    boolean usable = node.available();
    if (node.isCompatible("arm,gic-v3")) {
      if (usable) {
        gicv3(node);
      }
    } else if (node.isCompatible(GICV2) && node.has("interrupt-controller")) {
      if (usable) {
        gicv2(node);
      }
    } else if (node.isCompatible("arm,gic-v3-its") && usable) {
      addresses
          .firstRegister(node)
          .flatMap(r -> draft.range(r.start(), ITS_BYTES, "ITS", node.source()))
          .ifPresentOrElse(w -> its(node, w), () -> noAddress(node));
    } else if (node.isCompatible("arm,gic-v2m-frame") && usable) {
      addresses.firstRegister(node).ifPresentOrElse(w -> frame(node, w), () -> noAddress(node));
    } else if (FdtRiscv.isImsic(node) && usable) {
      riscv
          .imsic(node)
          .ifPresent(i -> {
            draft.msiControllers.add(i);
            // Files of machine level are firmware's own: no device is led to them.
            if (!i.machineLevel()) {
              controllers.put(node, i.id());
            }
          });
    } else if (node.has("msi-controller") && !isPciHost(node) && usable) {
      other(node);
    }
  }

  private void noAddress(FdtNode node) {
    draft.findings.odd(node.path() + " has no register address that CPUs can reach", node.source());
  }

  static boolean isPciHost(FdtNode node) {
    return (isPciBus(node) || node.isCompatible("pci-host-ecam-generic"))
        && node.parent().filter(p -> !isPciBus(p)).isPresent();
  }

  /// POWER's trees name a PCI Express bus `pciex`.
  private static boolean isPciBus(FdtNode node) {
    return node.text("device_type").filter(t -> t.equals("pci") || t.equals("pciex")).isPresent();
  }

  private void its(FdtNode node, AddressRange window) {
    String id = draft.unique("its@0x" + Long.toHexString(window.start()));
    int number =
        (int)
            draft.msiControllers.stream()
                .filter(c -> c instanceof MsiControllerDescription.Its)
                .count();
    draft.msiControllers.add(new MsiControllerDescription.Its(id, number, window, node.source()));
    controllers.put(node, id);
  }

  private void frame(FdtNode node, AddressRange window) {
    String id = draft.unique("gicv2m@0x" + Long.toHexString(window.start()));
    draft.msiControllers.add(
        new MsiControllerDescription.GicV2m(
            id,
            window,
            small(node, "arm,msi-base-spi"),
            small(node, "arm,msi-num-spis"),
            node.source()));
    controllers.put(node, id);
  }

  private OptionalInt small(FdtNode node, String property) {
    long value = node.cell(property).orElse(-1);
    if (value > 1020) {
      draft.findings.odd(
          "%s of %s is %d; there are no SPIs above 1019".formatted(property, node.path(), value),
          node.source());
    }
    return value < 0 || value > 1020 ? OptionalInt.empty() : OptionalInt.of((int) value);
  }

  private void other(FdtNode node) {
    String kind = node.compatible().stream().findFirst().orElse("unknown MSI controller");
    Optional<AddressRange> frame = addresses.firstRegister(node);
    String at = frame.map(f -> "@0x" + Long.toHexString(f.start())).orElse("");
    String id = draft.unique(kind.substring(kind.indexOf(',') + 1) + at);
    draft.msiControllers.add(
        new MsiControllerDescription.Other(
            id, kind, java.util.OptionalLong.empty(), frame, OptionalInt.empty(), node.source()));
    controllers.put(node, id);
  }

  private void gicv3(FdtNode node) {
    List<AddressRange> registers = addresses.registers(node);
    if (registers.isEmpty()) {
      noAddress(node);
      return;
    }
    long regions = node.cell("#redistributor-regions").orElse(1);
    List<AddressRange> redistributors =
        registers.subList(
            1, (int) Math.min(registers.size(), 1 + Math.min(regions, registers.size())));
    gic(
        new GicDescription(
            3, registers.getFirst(), redistributors, Optional.empty(), cpus(), node.source()));
    if (node.has("msi-controller") && node.has("mbi-ranges")) {
      mbi(node, registers.getFirst());
    }
  }

  /// Message-based SPIs: devices write to GICD_SETSPI_NSR, or to an alias of the frame.
  ///
  /// **Source**: IHI 0069, 12.9 GICD_SETSPI_NSR; `arm,gic-v3.yaml`, `mbi-ranges` and `mbi-alias`.
  private void mbi(FdtNode node, AddressRange distributor) {
    FdtNode.Property ranges = node.property("mbi-ranges").orElseThrow();
    int vectors = 0;
    for (int i = 0; i + 2 <= ranges.cells(); i += 2) {
      vectors += (int) Math.min(ranges.cell(i + 1), 1020);
    }
    Optional<FdtNode.Property> alias = node.property("mbi-alias");
    long base = distributor.start();
    if (alias.isPresent()) {
      base = alias.get().number(0, Math.clamp(alias.get().cells(), 1, 2));
    }
    String id = draft.unique("gicv3-mbi@0x" + Long.toHexString(base));
    draft.msiControllers.add(
        new MsiControllerDescription.Other(
            id,
            "GICv3 MBI",
            java.util.OptionalLong.of(base + MBI_SETSPI),
            draft.range(base, 0x1_0000, "frame of message-based SPIs", node.source()),
            OptionalInt.of(vectors),
            node.source()));
    controllers.put(node, id);
  }

  private void gicv2(FdtNode node) {
    List<AddressRange> registers = addresses.registers(node);
    if (registers.isEmpty()) {
      noAddress(node);
      return;
    }
    gic(
        new GicDescription(
            2,
            registers.getFirst(),
            List.of(),
            registers.size() > 1 ? Optional.of(registers.get(1)) : Optional.empty(),
            cpus(),
            node.source()));
  }

  private void gic(GicDescription gic) {
    if (draft.gic.isPresent()) {
      draft.findings.odd(
          "a second interrupt controller of the GIC's kind is passed over", gic.source());
    } else {
      draft.gic = Optional.of(gic);
    }
  }

  private List<GicDescription.Cpu> cpus() {
    List<GicDescription.Cpu> out = new ArrayList<>();
    Optional<FdtNode> cpus = tree.child(tree.root(), "cpus");
    for (FdtNode cpu : cpus.map(FdtNode::children).orElse(List.of())) {
      Optional<FdtNode.Property> reg = cpu.property("reg");
      boolean isCpu =
          cpu.name().startsWith("cpu@") || cpu.text("device_type").equals(Optional.of("cpu"));
      if (isCpu
          && reg.isPresent()
          && reg.get().cells() > 0
          && !cpu.text("status").equals(Optional.of("fail"))) {
        long mpidr = reg.get().number(0, reg.get().cells() >= 2 ? 2 : 1);
        out.add(new GicDescription.Cpu(out.size(), mpidr, cpu.source()));
      }
    }
    return out;
  }

  private void iommu(FdtNode node) {
    boolean virtio =
        node.isCompatible("virtio,pci-iommu")
            || node.isCompatible("virtio,mmio") && node.has("#iommu-cells");
    Optional<Map.Entry<String, String>> smmu =
        SMMUS.entrySet().stream().filter(e -> node.isCompatible(e.getKey())).findFirst();
    boolean smmu3 = node.isCompatible("arm,smmu-v3");
    if (FdtRiscv.isIommu(node) && node.available()) {
      add(node, riscv.iommu(node));
      return;
    }
    if (!virtio && smmu.isEmpty() && !smmu3 && !node.has("#iommu-cells")) {
      return;
    }
    if (!node.available()) {
      draft.findings.disabledIommu(node);
      return;
    }
    if (virtio) {
      virtioIommu(node);
      return;
    }
    Optional<AddressRange> window = addresses.firstRegister(node);
    if (smmu3 && window.isPresent()) {
      smmuv3(node, window.get());
    } else if (smmu.isPresent() && window.isPresent() && !smmu.get().getValue().isEmpty()) {
      smmuv2(node, smmu.get().getValue(), window.get());
    } else {
      otherIommu(node, smmu.map(Map.Entry::getKey), window);
    }
  }

  private void smmuv3(FdtNode node, AddressRange window) {
    add(
        node,
        new IommuDescription.Smmuv3(
            draft.unique("smmuv3@0x" + Long.toHexString(window.start())),
            window,
            node.has("dma-coherent"),
            Abilities.of(draft, window.start()),
            node.source()));
  }

  private void smmuv2(FdtNode node, String kind, AddressRange window) {
    boolean first = kind.equals("SMMUv1") || kind.startsWith("MMU-40");
    add(
        node,
        new IommuDescription.Smmuv2(
            draft.unique((first ? "smmuv1@0x" : "smmuv2@0x") + Long.toHexString(window.start())),
            kind,
            window,
            node.has("dma-coherent"),
            (int) node.cell("stream-match-mask").orElse(0) & STREAM_BITS,
            Abilities.of(draft, window.start()),
            node.source()));
  }

  private void otherIommu(FdtNode node, Optional<String> known, Optional<AddressRange> window) {
    String kind = known.or(() -> node.compatible().stream().findFirst()).orElse("unknown IOMMU");
    String at = window.map(w -> "@0x" + Long.toHexString(w.start())).orElse("@" + node.path());
    add(
        node,
        new IommuDescription.Other(
            draft.unique(kind.substring(kind.indexOf(',') + 1) + at), kind, window, node.source()));
  }

  private void virtioIommu(FdtNode node) {
    if (node.isCompatible("virtio,pci-iommu")) {
      Optional<String> function =
          FdtBridges.functionOf(tree, node).map(dev.doorbell.pci.Sbdf::toString);
      String id = draft.unique("virtio-iommu@" + function.orElse(node.path()));
      add(
          node,
          new IommuDescription.VirtioIommu(
              id, Optional.empty(), function, IommuDescription.Abilities.UNSEEN, node.source()));
    } else {
      Optional<AddressRange> window = addresses.firstRegister(node);
      String id =
          draft.unique(
              "virtio-iommu"
                  + window.map(w -> "@0x" + Long.toHexString(w.start())).orElse("@" + node.path()));
      add(
          node,
          new IommuDescription.VirtioIommu(
              id, window, Optional.empty(), IommuDescription.Abilities.UNSEEN, node.source()));
    }
  }

  private void add(FdtNode node, IommuDescription iommu) {
    draft.iommus.add(iommu);
    iommus.put(node, iommu.id());
  }
}
