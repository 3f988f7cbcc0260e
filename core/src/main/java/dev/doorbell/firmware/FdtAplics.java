package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.description.WireSignal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The APLICs of a device tree, by the interrupt files that they send messages to. The tree is gone through once.
///
/// **Source**: the binding `interrupt-controller/riscv,aplic.yaml`.
final class FdtAplics {
  private final Draft draft;
  private final FdtAddresses addresses;
  private final Map<FdtNode, List<FdtNode>> nodes = new HashMap<>();
  private final Map<FdtNode, Map<Integer, WireSignal>> signals;

  FdtAplics(Draft draft, FdtTree tree, FdtAddresses addresses) {
    this.draft = draft;
    this.addresses = addresses;
    tree.nodes().stream()
        .filter(n -> isAplic(n) && n.available())
        .forEach(n ->
            n.cell("msi-parent").stream()
                .mapToObj(tree::phandle)
                .flatMap(files -> files.stream())
                .forEach(files -> nodes.computeIfAbsent(files, _ -> new ArrayList<>()).add(n)));
    signals = FdtWires.read(tree, FdtAplics::isAplic);
  }

  private static boolean isAplic(FdtNode node) {
    return node.isCompatible("riscv,aplic");
  }

  /// {@return those that send to some files}
  List<AplicDescription> of(FdtNode imsic, List<Imsic.File> files, Imsic.Index index) {
    List<FdtNode> all = nodes.getOrDefault(imsic, List.of());
    if (!all.isEmpty() && !Aplics.canTellApart(files, index)) {
      Aplics.cannotTellApart(draft, imsic.path(), imsic.source());
      return List.of();
    }
    List<AplicDescription> out = new ArrayList<>();
    for (FdtNode n : all) {
      AddressRange registers = addresses.firstRegister(n).orElse(null);
      Aplics.Found found =
          new Aplics.Found(out.size(), n.path(), n.cell("riscv,num-sources").orElse(0), n.source());
      Aplics.describe(draft, found, registers, signals.getOrDefault(n, Map.of()))
          .ifPresent(out::add);
    }
    return out;
  }
}
