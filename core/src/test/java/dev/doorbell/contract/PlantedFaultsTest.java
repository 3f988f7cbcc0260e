package dev.doorbell.contract;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.InterruptSink;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiControllerFailed;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// The property of {@link ContractPropertyTest} fails for each of these faults, planted between the stack and the machine.
class PlantedFaultsTest {
  private static final int SEQUENCES = 20;

  /// {@return after how many sequences the property failed; empty when it never did}
  private static OptionalInt caught(Sample sample, Supplier<Wiring> fault) {
    SeededRandom seeds = SeededRandom.of(2);
    for (int i = 1; i <= SEQUENCES; i++) {
      SeededRandom random = seeds.split();
      Optional<AssertionError> failure = ContractPropertyTest.tryOut(sample, fault.get(), random);
      if (failure.isPresent()) {
        if (Boolean.getBoolean("doorbell.contract.print")) {
          System.err.println(i + ": " + failure.get().getMessage());
        }
        return OptionalInt.of(i);
      }
    }
    return OptionalInt.empty();
  }

  private static void assertCaught(Supplier<Wiring> fault) {
    assertCaught(Sample.twoIts(), fault);
  }

  private static void assertCaught(Sample sample, Supplier<Wiring> fault) {
    assertTrue(
        caught(sample, fault).isPresent(),
        () -> "not caught in " + SEQUENCES + " sequences of steps");
  }

  @Test
  @DisplayName("nothing planted: the same sequences pass")
  void nothingPlanted() {
    assertTrue(caught(Sample.twoIts(), () -> Wiring.HONEST).isEmpty());
  }

  @Test
  @DisplayName("TLB invalidations that never arrive are caught")
  void skippedTlbi() {
    assertCaught(() -> swallowing(0x10, 0x30));
  }

  @Test
  @DisplayName("configuration invalidations that never arrive are caught")
  void skippedCfgi() {
    assertCaught(() -> swallowing(0x03, 0x06));
  }

  private static Wiring swallowing(int first, int last) {
    return new Wiring() {
      @Override
      public Machine machine(EmbeddedMachine machine) {
        return new MachineThrough(machine, first, last);
      }
    };
  }

  @Test
  @DisplayName("a doorbell that is never unmapped is caught")
  void doorbellStays() {
    assertCaught(() -> new DoorbellFault(DoorbellFault.Kind.NEVER_UNMAPPED));
  }

  @Test
  @DisplayName("a doorbell that is unmapped with the first of its users is caught")
  void doorbellGoesTooEarly() {
    assertCaught(
        Sample.oneIts(), () -> new DoorbellFault(DoorbellFault.Kind.UNMAPPED_WITH_FIRST_USER));
  }

  @Test
  @DisplayName("a function that is programmed before its doorbell is mapped is caught")
  void programmedBeforeMapped() {
    assertCaught(() -> new DoorbellFault(DoorbellFault.Kind.MAPPED_LATE));
  }

  @Test
  @DisplayName(
      "where each hart has a doorbell: one that stays when its vectors have moved, and one that is mapped after they have, is caught")
  void doorbellsOfHarts() {
    assertCaught(Sample.riscvHarts(), () -> new DoorbellFault(DoorbellFault.Kind.NEVER_UNMAPPED));
    assertCaught(Sample.riscvHarts(), () -> new DoorbellFault(DoorbellFault.Kind.MAPPED_LATE));
  }

  @Test
  @DisplayName("groups that do not know of one another's DeviceIDs are caught")
  void everyGroupForItself() {
    assertCaught(() ->
        new Wiring() {
          @Override
          public Ringers ringers(Ringers ringers) {
            return new Ringers();
          }
        });
  }

  /// What is done wrong about doorbells.
  private static final class DoorbellFault implements Wiring {
    private enum Kind {
      NEVER_UNMAPPED,
      UNMAPPED_WITH_FIRST_USER,
      MAPPED_LATE
    }

    private final Kind kind;
    private final List<Runnable> late = new ArrayList<>();
    private final Map<AddressSpace, Map<Iova, Long>> doorbells = new HashMap<>();

    DoorbellFault(Kind kind) {
      this.kind = kind;
    }

    @Override
    public AddressSpace space(AddressSpace space) {
      Map<Iova, Long> mine = new HashMap<>();
      doorbells.put(space, mine);
      return new WiredIommu.Space(space) {
        @Override
        public void map(Iova iova, Pa pa, long bytes, Protection protection) {
          Runnable now = () -> real.map(iova, pa, bytes, protection);
          if (!protection.device()) {
            now.run();
            return;
          }
          mine.put(iova, bytes);
          if (kind == Kind.MAPPED_LATE) {
            late.add(now);
          } else {
            now.run();
          }
        }

        @Override
        public long unmap(Iova iova, long bytes) {
          if (mine.remove(iova) != null && kind == Kind.NEVER_UNMAPPED) {
            return bytes;
          }
          return real.unmap(iova, bytes);
        }

        @Override
        public void close() {
          doorbells.remove(space);
          super.close();
        }
      };
    }

    @Override
    public MsiController controller(MsiController controller) {
      return kind != Kind.UNMAPPED_WITH_FIRST_USER
          ? controller
          : new Controller(
              controller,
              block ->
                  new WiredBlock(block) {
                    @Override
                    public void free() {
                      super.free();
                      doorbells.forEach(
                          (space, mine) -> mine.forEach((iova, bytes) -> space.unmap(iova, bytes)));
                    }
                  });
    }

    @Override
    public void stepped() {
      late.forEach(Runnable::run);
      late.clear();
    }
  }

  @Test
  @DisplayName("vectors that a failed enable does not give back are caught")
  void missingRollback() {
    assertCaught(() ->
        new Wiring() {
          @Override
          public MsiController controller(MsiController controller) {
            return new Controller(controller, Forgetting::new);
          }
        });
  }

  /// Vectors that stay taken once an activation has failed.
  private static final class Forgetting extends WiredBlock {
    private boolean failed;

    Forgetting(VectorBlock real) {
      super(real);
    }

    @Override
    public void activate(int index, int cpu) {
      try {
        super.activate(index, cpu);
      } catch (MsiControllerFailed e) {
        failed = true;
        throw e;
      }
    }

    @Override
    public void free() {
      if (!failed) {
        super.free();
      }
    }
  }

  /// A controller whose vectors are wrapped.
  private record Controller(MsiController real, UnaryOperator<VectorBlock> wrap)
      implements MsiController {
    @Override
    public String id() {
      return real.id();
    }

    @Override
    public boolean isolated() {
      return real.isolated();
    }

    @Override
    public int vectorsFree() {
      return real.vectorsFree();
    }

    @Override
    public VectorBlock allocate(MsiSource source, int count, boolean contiguous) {
      return wrap.apply(real.allocate(source, count, contiguous));
    }

    @Override
    public int collect(InterruptSink sink) {
      return real.collect(sink);
    }
  }
}
