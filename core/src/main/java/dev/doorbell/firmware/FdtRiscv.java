package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// The RISC-V nodes of a device tree: interrupt files and IOMMUs.
///
/// **Source**: the bindings `interrupt-controller/riscv,imsics.yaml`, `riscv,aplic.yaml`, `sifive,plic-1.0.0.yaml` and `iommu/riscv,iommu.yaml`; where they
/// are silent, Linux (`imsic_setup_state`).
final class FdtRiscv {
  /// A processor's external interrupts, as `interrupts-extended` of an IMSIC names them.
  ///
  /// **Source**: RISC-V Privileged Architecture 20211203, table 3.6 (mcause).
  private static final int MACHINE_EXTERNAL = 11;

  private static final int MOST_GUEST_BITS = 7;
  private static final int MOST_HART_BITS = 15;
  private static final int MOST_GROUP_BITS = 7;
  private static final int LEAST_GROUP_SHIFT = 24;
  private static final int MOST_GROUP_SHIFT = 55;
  private static final int LEAST_IDENTITIES = 63;
  private static final int MOST_IDENTITIES = 2047;
  private static final int MOST_HARTS = 1 << 14;

  private static final String[] WIRED = {
    "riscv,aplic", "riscv,plic0", "sifive,plic-1.0.0", "thead,c900-plic", "andestech,nceplic100"
  };

  private final Draft draft;
  private final FdtTree tree;
  private final FdtAddresses addresses;
  private @Nullable FdtAplics aplics;

  FdtRiscv(Draft draft, FdtTree tree, FdtAddresses addresses) {
    this.draft = draft;
    this.tree = tree;
    this.addresses = addresses;
  }

  static boolean isImsic(FdtNode node) {
    return node.isCompatible("riscv,imsics");
  }

  /// {@return why interrupt files of machine level are none for devices; empty for other nodes}
  static String whose(FdtNode node) {
    boolean machine =
        isImsic(node)
            && node.property("interrupts-extended")
                .filter(p -> p.cells() > 1 && p.cell(1) == MACHINE_EXTERNAL)
                .isPresent();
    return machine ? " for devices: its interrupt files are of machine level, firmware's own" : "";
  }

  static boolean isIommu(FdtNode node) {
    return node.isCompatible("riscv,iommu", "riscv,pci-iommu");
  }

  /// {@return the interrupt files that a node describes}
  ///
  /// The n-th parent is the hart of the n-th run of pages, counted through all of `reg`, as long as a hart's own page and its guests'.
  Optional<Imsic> imsic(FdtNode node) {
    List<AddressRange> windows = addresses.registers(node);
    Optional<FdtNode.Property> parents = node.property("interrupts-extended");
    if (windows.isEmpty() || parents.isEmpty()) {
      draft.findings.odd(
          node.path()
              + (windows.isEmpty()
                  ? " has no register address that CPUs can reach"
                  : " has no interrupts-extended: whose files these are is not told"),
          node.source());
      return Optional.empty();
    }
    int guestBits = bounded(node, "riscv,guest-index-bits", 0, MOST_GUEST_BITS, 0);
    long stride = Imsic.FILE_BYTES << guestBits;
    List<Imsic.File> files = new ArrayList<>();
    boolean machine = false;
    FdtNode.Property p = parents.get();
    for (int i = 0; i + 2 <= p.cells() && files.size() < MOST_HARTS; i += 2) {
      machine |= p.cell(i + 1) == MACHINE_EXTERNAL;
      Optional<AddressRange> page = page(windows, (i / 2) * stride, stride);
      Source source = p.blob().source(p.at() + (long) i * FdtNode.CELL);
      if (page.isEmpty()) {
        draft.findings.odd(
            "reg of %s has no page for parent %d of interrupts-extended"
                .formatted(node.path(), i / 2),
            source);
        continue;
      }
      files.add(new Imsic.File(files.size(), hart(p.cell(i), files.size()), page.get()));
    }
    if (files.isEmpty()) {
      draft.findings.odd(
          "interrupts-extended and reg of %s give no hart an interrupt file".formatted(node.path()),
          p.source());
      return Optional.empty();
    }
    int hartBits = bounded(node, "riscv,hart-index-bits", 0, MOST_HART_BITS, log2(files.size()));
    Imsic.Index index =
        new Imsic.Index(
            guestBits,
            hartBits,
            bounded(node, "riscv,group-index-bits", 0, MOST_GROUP_BITS, 0),
            bounded(node, "riscv,group-index-shift", 0, MOST_GROUP_SHIFT, LEAST_GROUP_SHIFT));
    return Optional.of(
        new Imsic(
            draft.unique(name(machine, windows.getFirst().start())),
            machine,
            files,
            bounded(node, "riscv,num-ids", LEAST_IDENTITIES, MOST_IDENTITIES, LEAST_IDENTITIES),
            index,
            windows,
            aplics().of(node, files, index),
            node.source()));
  }

  private FdtAplics aplics() {
    if (aplics == null) {
      aplics = new FdtAplics(draft, tree, addresses);
    }
    return aplics;
  }

  static String name(boolean machine, long base) {
    return (machine ? "imsic-m@0x" : "imsic@0x") + Long.toHexString(base);
  }

  /// A run of pages may be cut short at the end of its `reg` entry; the next one begins in the next entry.
  private static Optional<AddressRange> page(List<AddressRange> windows, long offset, long stride) {
    long left = offset;
    for (AddressRange w : windows) {
      long bytes = (w.bytes() + stride - 1) & -stride;
      if (left >= 0 && Long.compareUnsigned(left, bytes) < 0) {
        return Long.compareUnsigned(left + Imsic.FILE_BYTES, w.bytes()) <= 0
            ? Optional.of(AddressRange.ofSize(w.start() + left, Imsic.FILE_BYTES))
            : Optional.empty();
      }
      left -= bytes;
    }
    return Optional.empty();
  }

  /// The hart whose interrupt controller a parent is; where the tree does not tell, its place.
  private long hart(long phandle, int otherwise) {
    return tree.phandle(phandle)
        .flatMap(FdtNode::parent)
        .flatMap(cpu -> cpu.property("reg"))
        .filter(reg -> reg.cells() > 0)
        .map(reg -> reg.number(0, Math.min(2, reg.cells())))
        .orElse((long) otherwise);
  }

  static int log2(int count) {
    return count <= 1 ? 0 : Integer.SIZE - Integer.numberOfLeadingZeros(count - 1);
  }

  private int bounded(FdtNode node, String property, int least, int most, int otherwise) {
    long value = node.cell(property).orElse(otherwise);
    if (value < least || value > most) {
      draft.findings.odd(
          "%s of %s is %d; %d to %d are possible, and %d is taken"
              .formatted(property, node.path(), value, least, most, otherwise),
          node.source());
      return otherwise;
    }
    return (int) value;
  }

  IommuDescription iommu(FdtNode node) {
    Optional<String> function =
        node.isCompatible("riscv,pci-iommu")
            ? FdtBridges.functionOf(tree, node).map(Sbdf::toString)
            : Optional.empty();
    Optional<AddressRange> window =
        function.isPresent() ? Optional.empty() : addresses.firstRegister(node);
    String at =
        window.map(w -> "0x" + Long.toHexString(w.start())).or(() -> function).orElse(node.path());
    return new IommuDescription.RiscvIommu(
        draft.unique("riscv-iommu@" + at), window, function, ABILITIES, node.source());
  }

  /// All that every RISC-V IOMMU has: pages of 4 KiB. Its registers tell the rest.
  static final IommuDescription.Abilities ABILITIES =
      new IommuDescription.Abilities(
          OptionalInt.empty(),
          OptionalInt.empty(),
          List.of(Granule.K4),
          Optional.of(Source.rule("RISC-V IOMMU Architecture 1.0, 2.3: page-based translation")));

  /// Says why a machine has no MSI controller, where it has interrupt controllers that take wires only.
  void wiresOnly() {
    if (!draft.msiControllers.isEmpty() || draft.arch != dev.doorbell.description.Arch.RISCV64) {
      return;
    }
    tree.nodes().stream()
        .filter(n -> n.isCompatible(WIRED) && n.available())
        .findFirst()
        .ifPresent(n ->
            draft.findings.harmless(
                "firmware describes no MSI controller: %s (%s) takes wired interrupts and no messages"
                    .formatted(n.path(), String.join(", ", n.compatible())),
                n.source()));
  }
}
