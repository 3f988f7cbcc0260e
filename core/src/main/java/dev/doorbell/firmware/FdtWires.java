package dev.doorbell.firmware;

import dev.doorbell.description.WireSignal;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// How the wires of some interrupt controllers signal, as the devices say that are wired to them. Each controller's specifiers are two cells, a
/// number and a type.
///
/// **Source**: Devicetree Specification 0.4, 2.4 (`interrupts`, `interrupts-extended`, `interrupt-parent`, `interrupt-map`); Linux
/// `include/dt-bindings/interrupt-controller/irq.h` for types.
final class FdtWires {
  private static final int SPECIFIER = 2;
  private static final int RISING = 1;
  private static final int FALLING = 2;
  private static final int HIGH = 4;
  private static final int LOW = 8;
  private static final int MOST_CELLS = 16;
  private static final String INTERRUPT_CELLS = "#interrupt-cells";

  private final FdtTree tree;
  private final Predicate<FdtNode> wanted;
  private final Map<FdtNode, Map<Integer, WireSignal>> signals = new HashMap<>();

  private FdtWires(FdtTree tree, Predicate<FdtNode> wanted) {
    this.tree = tree;
    this.wanted = wanted;
  }

  /// {@return for each controller that is wanted, how its wires signal that something is wired to}
  static Map<FdtNode, Map<Integer, WireSignal>> read(FdtTree tree, Predicate<FdtNode> wanted) {
    FdtWires wires = new FdtWires(tree, wanted);
    for (FdtNode node : tree.nodes()) {
      Optional<FdtNode.Property> extended = node.property("interrupts-extended");
      if (extended.isPresent()) {
        wires.extended(extended.get());
      } else {
        node.property("interrupts").ifPresent(p -> wires.plain(node, p));
      }
      node.property("interrupt-map").ifPresent(p -> wires.mapped(node, p));
    }
    return wires.signals;
  }

  private void plain(FdtNode node, FdtNode.Property p) {
    Optional<FdtNode> controller = parent(node).filter(wanted);
    for (int i = 0; controller.isPresent() && i + SPECIFIER <= p.cells(); i += SPECIFIER) {
      put(controller.get(), p, i);
    }
  }

  private Optional<FdtNode> parent(FdtNode node) {
    for (Optional<FdtNode> n = Optional.of(node); n.isPresent(); n = n.get().parent()) {
      if (n.get().cell("interrupt-parent").isPresent()) {
        return tree.phandle(n.get().cell("interrupt-parent").getAsLong());
      }
    }
    return Optional.empty();
  }

  private void extended(FdtNode.Property p) {
    for (int i = 0; i < p.cells(); ) {
      Optional<FdtNode> controller = tree.phandle(p.cell(i));
      int cells = controller.map(c -> count(c, INTERRUPT_CELLS)).orElse(-1);
      if (cells < 0) {
        return;
      }
      specifier(controller.get(), p, i + 1, cells);
      i += 1 + cells;
    }
  }

  private void mapped(FdtNode nexus, FdtNode.Property p) {
    int unit = count(nexus, "#address-cells") + count(nexus, INTERRUPT_CELLS);
    for (int i = 0; unit >= 0 && i + unit < p.cells(); ) {
      Optional<FdtNode> controller = tree.phandle(p.cell(i + unit));
      int cells = controller.map(c -> count(c, INTERRUPT_CELLS)).orElse(-1);
      if (cells < 0) {
        return;
      }
      // Without the property a controller's units have no address.
      int at = i + unit + 1 + Math.max(0, count(controller.get(), "#address-cells"));
      specifier(controller.get(), p, at, cells);
      i = at + cells;
    }
  }

  /// {@return a property's small number; -1 when it is not there or not small}
  private static int count(FdtNode node, String property) {
    long cells = node.cell(property).orElse(-1);
    return cells >= 0 && cells <= MOST_CELLS ? (int) cells : -1;
  }

  private void specifier(FdtNode controller, FdtNode.Property p, int at, int cells) {
    if (cells == SPECIFIER && at + SPECIFIER <= p.cells() && wanted.test(controller)) {
      put(controller, p, at);
    }
  }

  private void put(FdtNode controller, FdtNode.Property p, int at) {
    long type = p.cell(at + 1);
    boolean low = type == FALLING || type == LOW;
    boolean level = type == HIGH || type == LOW;
    if (low || level || type == RISING) {
      signals
          .computeIfAbsent(controller, _ -> new HashMap<>())
          .putIfAbsent((int) p.cell(at), new WireSignal(low, level));
    }
  }
}
