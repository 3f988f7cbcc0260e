package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.description.MsiControllerDescription.MpicMsi;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// PAMU, MPIC message banks and LIODNs of Freescale's PowerPC machines.
///
/// A PCI Express controller sends every function's accesses under one LIODN, its own. From revision 2.4 of the controller on the first eight
/// endpoints have LIODNs of their own.
///
/// **Source**: the bindings `powerpc/fsl/pamu.txt`, `powerpc/fsl/msi-pic.txt` and `pci/fsl,pci.txt` of Linux; for what the boot loader adds U-Boot
/// `arch/powerpc/cpu/mpc85xx/liodn.c`, `fsl,liodn-offset-list`; revision 2.4: Linux `fsl_pamu_domain.c`, `check_pci_ctl_endpt_part`.
final class FdtFreescale {
  private static final Pattern REVISION =
      Pattern.compile("fsl,qoriq-pcie-v(\\d{1,2})\\.(\\d{1,2})");
  private static final int PARTITIONS = 0x0204;
  private static final int MASK = 0xffff;
  private static final long RIDS = 0x1_0000;

  /// Endpoints with LIODNs of their own, functions 0 to 7 of device 0 on the bus below the root port.
  private static final int ENDPOINTS = 8;

  private static final int FIRST_ENDPOINT = 0x100;

  /// Where U-Boot begins to number endpoints: those of controllers before and from revision 3.0.
  private static final int ENDPOINT_LIODN = 256;

  private static final int ENDPOINT_LIODN_V3 = 1024;
  private static final int LAST_LIODN = 0xffff;
  private static final long MSIIR = 0x140;
  private static final long MSIIR1 = 0x148;

  /// Widest window of a PAMU that Linux makes; its IOVAs and physical addresses have 36 bits.
  private static final IommuDescription.Abilities ABILITIES =
      new IommuDescription.Abilities(
          OptionalInt.of(36),
          OptionalInt.of(36),
          List.of(Granule.K4),
          Optional.of(Source.rule("Linux fsl_pamu_domain, geometry of 2^36 bytes")));

  private final Draft draft;
  private final FdtTree tree;
  private final FdtAddresses addresses;
  private final Map<FdtNode, String> iommus;
  private final Map<FdtNode, String> controllers;
  private final List<String> banks = new ArrayList<>();
  private final List<FdtNode> bankNodes = new ArrayList<>();
  private final List<String> unnumbered = new ArrayList<>();
  private int bridges;

  FdtFreescale(
      Draft draft,
      FdtTree tree,
      FdtAddresses addresses,
      Map<FdtNode, String> iommus,
      Map<FdtNode, String> controllers) {
    this.draft = draft;
    this.tree = tree;
    this.addresses = addresses;
    this.iommus = iommus;
    this.controllers = controllers;
  }

  void controller(FdtNode node) {
    boolean pamu = node.isCompatible("fsl,pamu");
    if (!node.available()) {
      if (pamu) {
        draft.findings.disabledIommu(node);
      }
      return;
    }
    if (pamu) {
      pamuWindow(node)
          .ifPresentOrElse(
              w -> pamu(node, w),
              () ->
                  draft.findings.odd(
                      node.path() + " has no register address that CPUs can reach", node.source()));
    } else if (node.isCompatible("fsl,mpic-msi", "fsl,mpic-msi-v4.3")) {
      bank(node);
    } else if (node.isCompatible(
        "fsl,ipic-msi", "fsl,vmpic-msi", "fsl,vmpic-msi-v4.3", "amcc,ppc4xx-msi")) {
      other(node);
    }
  }

  /// {@return the registers of all units} The binding leaves `reg` of the PAMU itself to old drivers: else its units tell, which follow one another.
  private Optional<AddressRange> pamuWindow(FdtNode node) {
    Optional<AddressRange> own = addresses.firstRegister(node);
    if (own.isPresent() || node.has("reg")) {
      return own;
    }
    List<AddressRange> units =
        node.children().stream()
            .filter(FdtNode::available)
            .flatMap(c -> addresses.firstRegister(c).stream())
            .sorted(Comparator.comparingLong(AddressRange::start))
            .toList();
    if (units.isEmpty()) {
      return own;
    }
    long end = units.getFirst().start();
    for (AddressRange unit : units) {
      if (unit.start() != end) {
        break;
      }
      end = unit.last() + 1;
    }
    return Optional.of(new AddressRange(units.getFirst().start(), end - 1));
  }

  private void pamu(FdtNode node, AddressRange window) {
    String id = draft.unique("pamu@0x" + Long.toHexString(window.start()));
    draft.iommus.add(new IommuDescription.Pamu(id, window, ABILITIES, node.source()));
    iommus.put(node, id);
  }

  private void bank(FdtNode node) {
    List<AddressRange> registers = addresses.registers(node);
    if (registers.isEmpty()) {
      draft.findings.odd(
          node.path() + " has no register address that CPUs can reach", node.source());
      return;
    }
    boolean wide = node.isCompatible("fsl,mpic-msi-v4.3");
    long start = registers.getFirst().start();
    long index = registers.size() > 1 ? registers.get(1).start() : start + (wide ? MSIIR1 : MSIIR);
    String id = draft.unique("mpic-msi@0x" + Long.toHexString(start));
    MpicMsi bank = new MpicMsi(id, registers.getFirst(), index, wide, node.source());
    if (wide && registers.size() == 1) {
      draft.findings.odd(
          "%s names no place of MSIIR1, which its binding requires: it is taken to be at 0x%x of the bank, where Linux writes to MSIIR (0x%x)"
              .formatted(node.path(), MSIIR1, MSIIR),
          node.source());
    }
    available(node, bank);
    draft.msiControllers.add(bank);
    take(node, id);
  }

  /// A partition that shares a bank with others has only some of its interrupts; Doorbell owns banks whole. Interrupts of a register do not follow one another in
  /// MSIIR1's data, so that its binding forbids the property, and Linux passes it over.
  private void available(FdtNode node, MpicMsi bank) {
    Optional<FdtNode.Property> ranges = node.property("msi-available-ranges");
    if (ranges.isEmpty()) {
      return;
    }
    if (bank.wide()) {
      draft.findings.odd(
          "%s has msi-available-ranges, which a bank with MSIIR1 cannot have: all of its interrupts count"
              .formatted(node.path()),
          ranges.get().source());
      return;
    }
    BitSet left = new BitSet();
    int all = bank.vectors().orElse(0);
    for (int i = 0; i + 1 < ranges.get().cells(); i += 2) {
      long first = Math.min(ranges.get().cell(i), all);
      left.set((int) first, (int) Math.min(first + ranges.get().cell(i + 1), all));
    }
    if (left.cardinality() < all) {
      draft.findings.unseen(
          "who has the other interrupts of " + bank.id(),
          "msi-available-ranges of %s leaves 0x%x of 0x%x"
              .formatted(node.path(), left.cardinality(), all),
          "they are counted as if this machine had the whole bank");
    }
  }

  private void other(FdtNode node) {
    String kind = node.compatible().stream().findFirst().orElse("MSI controller");
    Optional<AddressRange> frame = addresses.firstRegister(node);
    String at = frame.map(f -> "@0x" + Long.toHexString(f.start())).orElse("");
    String id = draft.unique(kind.substring(kind.indexOf(',') + 1) + at);
    draft.msiControllers.add(
        new MsiControllerDescription.Other(
            id, kind, OptionalLong.empty(), frame, OptionalInt.empty(), node.source()));
    take(node, id);
  }

  private void take(FdtNode node, String id) {
    controllers.put(node, id);
    banks.add(id);
    bankNodes.add(node);
  }

  /// {@return the identities of a host bridge's functions}
  FdtPaths paths(FdtNode node) {
    boolean freescale =
        node.compatible().stream().anyMatch(c -> c.startsWith("fsl,")) || node.has("fsl,msi");
    boolean plb = node.compatible().stream().anyMatch(c -> c.startsWith("ibm,plb-pci"));
    if (!freescale && !plb) {
      return FdtPaths.NONE;
    }
    int number = bridges++;
    return new FdtPaths(streams(node, number), msis(node, number));
  }

  void finish() {
    if (!unnumbered.isEmpty()) {
      draft.findings.unseen(
          "LIODNs of " + String.join(", ", unnumbered),
          "the nodes have no fsl,liodn, which a boot loader adds",
          "Doorbell numbers the controllers itself, as whoever writes their LIODN registers may");
    }
  }

  private List<HostBridge.StreamMapping> streams(FdtNode node, int number) {
    Optional<String> pamu = pamuOf(node);
    if (pamu.isEmpty()) {
      return List.of();
    }
    Optional<FdtNode.Property> stated = node.property("fsl,liodn").filter(p -> p.cells() > 0);
    Source source = stated.map(FdtNode.Property::source).orElse(node.source());
    long own = stated.map(p -> p.cell(0)).orElse(number + 1L);
    if (stated.isEmpty()) {
      unnumbered.add(node.path());
    }
    if (own > LAST_LIODN) {
      draft.findings.odd(
          "fsl,liodn of %s is 0x%x; a LIODN has 16 bits".formatted(node.path(), own), source);
      return List.of();
    }
    List<HostBridge.StreamMapping> out = new ArrayList<>();
    int revision = revision(node);
    if (revision >= PARTITIONS) {
      List<Long> numbers = endpoints(node, number, own, revision);
      Source from =
          node.property("fsl,liodn-offset-list")
              .map(FdtNode.Property::source)
              .orElse(node.source());
      for (int i = 0; i < numbers.size(); i++) {
        int liodn = numbers.get(i).intValue();
        out.add(new HostBridge.StreamMapping(MASK, FIRST_ENDPOINT + i, 1, pamu.get(), liodn, from));
      }
    }
    out.add(new HostBridge.StreamMapping(0, 0, 1, pamu.get(), (int) own, source));
    return out;
  }

  /// {@return the LIODNs of the endpoints that have their own, first one first}
  private List<Long> endpoints(FdtNode node, int number, long own, int revision) {
    List<Long> out = new ArrayList<>();
    Optional<FdtNode.Property> list = node.property("fsl,liodn-offset-list");
    if (list.isEmpty() && node.has("fsl,liodn")) {
      return out;
    }
    int first = revision >= 0x0300 ? ENDPOINT_LIODN_V3 : ENDPOINT_LIODN;
    int controllersInAll = (int) tree.nodes().stream().filter(FdtMachine::isPciHost).count();
    for (int i = 0; i < ENDPOINTS; i++) {
      long liodn = first + (long) i * controllersInAll + number;
      if (list.isPresent()) {
        if (i + 1 >= list.get().cells()) {
          break;
        }
        // An offset may be negative: the sum is one of 32 bits.
        liodn = Integer.toUnsignedLong((int) (own + list.get().cell(i + 1)));
      }
      if (liodn > LAST_LIODN) {
        draft.findings.odd(
            "endpoint %d of %s has LIODN 0x%x; a LIODN has 16 bits"
                .formatted(i, node.path(), liodn),
            node.source());
        break;
      }
      out.add(liodn);
    }
    return out;
  }

  /// `fsl,iommu-parent` leads to one unit of the PAMU. Trees that leave it out have one PAMU, and every controller of a QorIQ is behind it.
  private Optional<String> pamuOf(FdtNode node) {
    Optional<FdtNode.Property> parent =
        node.property("fsl,iommu-parent").filter(p -> p.cells() > 0);
    Optional<FdtNode> unit = parent.flatMap(p -> tree.phandle(p.cell(0)));
    for (Optional<FdtNode> at = unit; at.isPresent(); at = at.get().parent()) {
      if (iommus.containsKey(at.get())) {
        return Optional.of(iommus.get(at.get()));
      }
    }
    boolean qoriq = node.compatible().stream().anyMatch(c -> c.startsWith("fsl,qoriq-pcie"));
    if (!qoriq && !node.has("fsl,liodn") && !node.has("fsl,liodn-reg")) {
      return Optional.empty();
    }
    List<String> pamus =
        draft.iommus.stream()
            .filter(i -> i instanceof IommuDescription.Pamu)
            .map(IommuDescription::id)
            .toList();
    if (pamus.isEmpty()) {
      return Optional.empty();
    }
    if (parent.isPresent()) {
      draft.findings.odd(
          "fsl,iommu-parent of %s leads to no PAMU; it is taken to be behind %s"
              .formatted(node.path(), pamus.getFirst()),
          parent.get().source());
    } else if (pamus.size() > 1) {
      draft.findings.unseen(
          "which PAMU %s is behind".formatted(node.path()),
          "the node has no fsl,iommu-parent, and there are " + String.join(", ", pamus),
          "it is taken to be behind " + pamus.getFirst());
    }
    return Optional.of(pamus.getFirst());
  }

  private static int revision(FdtNode node) {
    for (String name : node.compatible()) {
      Matcher m = REVISION.matcher(name);
      if (m.matches()) {
        return Integer.parseInt(m.group(1)) * 0x100 + Integer.parseInt(m.group(2));
      }
    }
    return 0;
  }

  /// A bank for each controller while there are enough: who shares a bank's page can raise each other's interrupts.
  private List<HostBridge.MsiMapping> msis(FdtNode node, int number) {
    Optional<FdtNode.Property> stated = node.property("fsl,msi").filter(p -> p.cells() > 0);
    if (stated.isPresent()) {
      String id = tree.phandle(stated.get().cell(0)).map(controllers::get).orElse(null);
      if (id == null) {
        draft.findings.odd(
            "fsl,msi of %s leads to no MSI controller".formatted(node.path()),
            stated.get().source());
        return List.of();
      }
      return List.of(
          new HostBridge.MsiMapping(MASK, 0, RIDS, List.of(id), 0, stated.get().source()));
    }
    if (banks.isEmpty()) {
      return List.of();
    }
    int at = number % banks.size();
    return List.of(
        new HostBridge.MsiMapping(
            MASK, 0, RIDS, List.of(banks.get(at)), 0, bankNodes.get(at).source()));
  }
}
