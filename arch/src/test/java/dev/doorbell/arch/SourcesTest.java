package dev.doorbell.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CompoundAssignmentTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.ImportTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.SynchronizedTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.TreeScanner;
import dev.doorbell.arch.Sources.Unit;
import java.io.IOException;
import java.nio.file.Files;
import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;
import javax.lang.model.element.Modifier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("exemplars 2.10, 2.11 rules 10, 12: budgets, locks, and bits by hand")
class SourcesTest {
  private static final int FILE_LINES = 400;
  private static final int FILE_LINES_AT_MOST = 800;
  private static final int METHOD_LINES = 60;
  private static final int NARROW = 16;

  private static final Set<Tree.Kind> SHIFTS =
      EnumSet.of(
          Tree.Kind.LEFT_SHIFT,
          Tree.Kind.RIGHT_SHIFT,
          Tree.Kind.UNSIGNED_RIGHT_SHIFT,
          Tree.Kind.LEFT_SHIFT_ASSIGNMENT,
          Tree.Kind.RIGHT_SHIFT_ASSIGNMENT,
          Tree.Kind.UNSIGNED_RIGHT_SHIFT_ASSIGNMENT);
  private static final Set<Tree.Kind> MASKS =
      EnumSet.of(Tree.Kind.AND, Tree.Kind.OR, Tree.Kind.AND_ASSIGNMENT, Tree.Kind.OR_ASSIGNMENT);

  @Test
  @DisplayName("budget: a file has fewer than 400 lines, and never more than 800")
  void filesAreShort() throws IOException {
    Set<String> wrong = new TreeSet<>();
    for (Unit unit : Sources.all()) {
      long lines;
      try (var text = Files.lines(unit.file())) {
        lines = text.count();
      }
      assertTrue(lines <= FILE_LINES_AT_MOST, () -> unit.name() + " has more than 800 lines");
      if (lines >= FILE_LINES) {
        wrong.add(unit.name());
      }
    }
    Allowances.check("long-files", "a file has fewer than 400 lines", wrong);
  }

  @Test
  @DisplayName("budget: a method has at most 60 lines")
  void methodsAreShort() {
    Set<String> wrong = new TreeSet<>();
    for (Unit unit : Sources.all()) {
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitMethod(MethodTree method, Void nothing) {
          var positions = Sources.trees().getSourcePositions();
          long lines =
              unit.line(positions.getEndPosition(unit.tree(), method))
                  - unit.line(positions.getStartPosition(unit.tree(), method))
                  + 1;
          if (lines > METHOD_LINES) {
            wrong.add(unit.name() + " " + method.getName());
          }
          return super.visitMethod(method, nothing);
        }
      }.scan(unit.tree(), null);
    }
    Allowances.check("long-methods", "a method has at most 60 lines", wrong);
  }

  @Test
  @DisplayName("10: synchronized and locks occur in listed classes only")
  void locksAreListed() {
    Set<String> wrong = new TreeSet<>();
    for (Unit unit : Sources.main()) {
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitSynchronized(SynchronizedTree block, Void nothing) {
          wrong.add(unit.name());
          return super.visitSynchronized(block, nothing);
        }

        @Override
        public Void visitMethod(MethodTree method, Void nothing) {
          if (method.getModifiers().getFlags().contains(Modifier.SYNCHRONIZED)) {
            wrong.add(unit.name());
          }
          return super.visitMethod(method, nothing);
        }

        @Override
        public Void visitImport(ImportTree tree, Void nothing) {
          if (tree.getQualifiedIdentifier().toString().startsWith("java.util.concurrent.locks.")) {
            wrong.add(unit.name());
          }
          return super.visitImport(tree, nothing);
        }
      }.scan(unit.tree(), null);
    }
    Allowances.check("locks", "locks occur in listed classes only", wrong);
  }

  @Test
  @DisplayName("12: no shifts and masks wider than 16 bits outside bits, address and the layouts")
  void bitsAreDeclared() {
    Set<String> wrong = new TreeSet<>();
    for (Unit unit : Sources.main()) {
      if (!mayHandleBits(unit)) {
        new BitsByHand(unit, wrong).scan(unit.tree(), null);
      }
    }
    Allowances.check("bits-by-hand", "bits are taken apart by declared fields", wrong);
  }

  @Test
  @DisplayName("the scan sees the sources")
  void scanIsNotEmpty() {
    assertTrue(Sources.main().stream().anyMatch(unit -> unit.name().endsWith("/bits/Layout.java")));
    assertEquals(
        Set.of(),
        new TreeSet<>(
            Sources.all().stream().map(Unit::name).filter(n -> n.startsWith("/")).toList()));
  }

  private static boolean mayHandleBits(Unit unit) {
    String name = unit.name();
    return name.contains("/doorbell/bits/")
        || name.contains("/doorbell/address/")
        || name.endsWith("Layout.java")
        || name.endsWith("Registers.java");
  }

  /// Finds shifts by 16 and more, and AND and OR with a literal of more than 16 bits.
  private static final class BitsByHand extends TreeScanner<Void, Void> {
    private final Unit unit;
    private final Set<String> wrong;

    BitsByHand(Unit unit, Set<String> wrong) {
      this.unit = unit;
      this.wrong = wrong;
    }

    @Override
    public Void visitBinary(BinaryTree tree, Void nothing) {
      boolean mask =
          MASKS.contains(tree.getKind())
              && (isWide(tree.getLeftOperand()) || isWide(tree.getRightOperand()));
      if (isFar(tree.getKind(), tree.getRightOperand()) || mask) {
        wrong.add(unit.name());
      }
      return super.visitBinary(tree, nothing);
    }

    @Override
    public Void visitCompoundAssignment(CompoundAssignmentTree tree, Void nothing) {
      boolean mask = MASKS.contains(tree.getKind()) && isWide(tree.getExpression());
      if (isFar(tree.getKind(), tree.getExpression()) || mask) {
        wrong.add(unit.name());
      }
      return super.visitCompoundAssignment(tree, nothing);
    }

    /// Holds for a shift by 16 or more written as a number; a shift by a granule's order is arithmetic, not a field.
    private static boolean isFar(Tree.Kind kind, ExpressionTree count) {
      return SHIFTS.contains(kind)
          && count instanceof LiteralTree literal
          && literal.getValue() instanceof Integer bits
          && bits >= NARROW;
    }

    private static boolean isWide(ExpressionTree operand) {
      return operand instanceof LiteralTree literal
          && (literal.getValue() instanceof Integer || literal.getValue() instanceof Long)
          && Long.compareUnsigned(((Number) literal.getValue()).longValue(), 0xffff) > 0;
    }
  }
}
