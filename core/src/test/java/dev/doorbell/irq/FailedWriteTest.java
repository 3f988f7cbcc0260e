package dev.doorbell.irq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.iommu.Domain;
import dev.doorbell.irq.IrqBench.Function;
import dev.doorbell.pci.MessageTable.Kind;
import dev.doorbell.simple.InjectedFault;
import dev.doorbell.simple.SimpleFunction;
import dev.doorbell.simple.SimpleFunction.Shape;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("design 4: a hardware write that fails, each one in turn, leaves everything as before")
class FailedWriteTest {
  /// A change to a function with another one beside it.
  ///
  /// @param before what is done first
  /// @param change what must be all or nothing
  record Change(
      String name, Shape shape, boolean hitless, Consumer<Stage> before, Consumer<Stage> change) {
    @Override
    public String toString() {
      return name + " " + shape.kind() + (shape.maskable() ? "" : " unmaskable");
    }
  }

  /// What a change works on.
  record Stage(IrqBench bench, Domain from, Domain to, Domain elsewhere, Function f) {}

  static Stream<Change> changes() {
    Shape msix = Shape.msix(6);
    Shape msi = Shape.msi(4);
    Shape maskable = new Shape(Kind.MSI, 4, true, true);
    Consumer<Stage> nothing = s -> {};
    Consumer<Stage> enable = s -> s.f().msi().enable(2, 4);
    Consumer<Stage> release = s -> s.f().msi().release();
    Consumer<Stage> move = s -> s.to().attach(s.f().group());
    Consumer<Stage> moveAway = s -> s.elsewhere().attach(s.f().group());
    return Stream.of(
        new Change("enable", msix, true, nothing, enable),
        new Change("enable", msi, true, nothing, enable),
        new Change("enable", maskable, true, nothing, enable),
        new Change(
            "enable masked",
            msix,
            true,
            nothing,
            s -> s.f().msi().enable(2, 4, true, VectorListener.NONE)),
        new Change(
            "enable masked",
            msi,
            true,
            nothing,
            s -> s.f().msi().enable(2, 4, true, VectorListener.NONE)),
        new Change("release", msix, true, enable, release),
        new Change("release", msi, true, enable, release),
        new Change("release", maskable, true, enable, release),
        new Change(
            "add vector",
            msix,
            true,
            enable,
            s -> s.f().msi().addVector(5, 1, false, VectorListener.NONE)),
        new Change("remove vector", msix, true, enable, s -> s.f().msi().removeVector(1)),
        new Change(
            "remove the only vector",
            msix,
            true,
            s -> s.f().msi().enable(1, 1),
            s -> s.f().msi().removeVector(0)),
        new Change(
            "remove added vector",
            msix,
            true,
            enable.andThen(s -> s.f().msi().addVector(5, 1, false, VectorListener.NONE)),
            s -> s.f().msi().removeVector(5)),
        new Change(
            "add removed vector",
            msix,
            true,
            enable.andThen(s -> s.f().msi().removeVector(1)),
            s -> s.f().msi().addVector(1, 3, true, VectorListener.NONE)),
        new Change("retarget", msix, true, enable, s -> s.f().msi().retarget(1, 3)),
        new Change(
            "retarget to another message",
            new Shape(Kind.MSI, 1, true, true),
            true,
            s -> {
              s.bench().its0.nameCpu();
              s.f().msi().enable(1, 1);
            },
            s -> s.f().msi().retarget(0, 3)),
        new Change("mask", msix, true, enable, s -> s.f().msi().mask(1, true)),
        new Change("domain switch", msix, true, enable, move),
        new Change("domain switch", msi, true, enable, move),
        new Change("domain switch, not hitless", msix, false, enable, move),
        new Change("domain switch, other window", msix, true, enable, moveAway),
        new Change("domain switch, other window", maskable, true, enable, moveAway),
        new Change(
            "domain switch, other window, some masked",
            msix,
            true,
            enable.andThen(s -> s.f().msi().mask(2, true)),
            moveAway),
        new Change(
            "domain switch, other window, with an added vector",
            msix,
            true,
            enable.andThen(s -> s.f().msi().addVector(5, 1, false, VectorListener.NONE)),
            moveAway),
        new Change("detach", msix, true, nothing, s -> s.from().detach(s.f().group())));
  }

  /// Where each CPU has a doorbell of its own, so that vectors come, go and move with doorbells.
  static Stream<Change> changesPerCpu() {
    Shape msix = Shape.msix(6);
    Consumer<Stage> nothing = s -> {};
    Consumer<Stage> enable = s -> s.f().msi().enable(3, 3);
    Consumer<Stage> add = s -> s.f().msi().addVector(5, 3, false, VectorListener.NONE);
    return Stream.of(
        new Change("enable", msix, true, nothing, enable),
        new Change("release", msix, true, enable, s -> s.f().msi().release()),
        new Change("add vector", msix, true, enable, add),
        new Change(
            "remove added vector",
            msix,
            true,
            enable.andThen(add),
            s -> s.f().msi().removeVector(5)),
        new Change(
            "add removed vector elsewhere",
            msix,
            true,
            enable.andThen(s -> s.f().msi().removeVector(1)),
            s -> s.f().msi().addVector(1, 3, true, VectorListener.NONE)),
        new Change("retarget", msix, true, enable, s -> s.f().msi().retarget(1, 3)),
        new Change(
            "retarget to a doorbell that is there",
            msix,
            true,
            enable,
            s -> s.f().msi().retarget(1, 2)),
        new Change("domain switch", msix, true, enable, s -> s.to().attach(s.f().group())),
        new Change(
            "domain switch, other window",
            msix,
            true,
            enable,
            s -> s.elsewhere().attach(s.f().group())));
  }

  private static Stage stage(Change change, boolean perCpu) {
    IrqBench bench = new IrqBench(change.hitless());
    Stage s =
        new Stage(
            bench,
            bench.domain("from"),
            bench.domain("to"),
            bench.domain("elsewhere", AddressRange.ofSize(0xa000_0000L, 0x4000)),
            perCpu
                ? bench.function(1, change.shape(), bench.imsic)
                : bench.function(1, change.shape(), bench.its0, bench.its1));
    Function other = bench.function(2, Shape.msix(2), bench.its1);
    s.from().attach(s.f().group());
    s.from().attach(other.group());
    other.msi().enable(1, 2);
    change.before().accept(s);
    return s;
  }

  @ParameterizedTest
  @MethodSource("changes")
  void everyWrite(Change change) {
    everyWrite(change, false);
  }

  @ParameterizedTest
  @MethodSource("changesPerCpu")
  void everyWriteWithADoorbellForEachCpu(Change change) {
    everyWrite(change, true);
  }

  private static void everyWrite(Change change, boolean perCpu) {
    int failures = 0;
    for (int n = 1; ; n++) {
      Stage s = stage(change, perCpu);
      List<Object> before = s.bench().state();
      List<Object> software = software(s);
      s.bench().hw.failAt(n);
      firesAllTheTime(s);
      try {
        change.change().accept(s);
        s.bench().hw.neverFail();
        break;
      } catch (InjectedFault e) {
        failures++;
        assertEquals(List.of(), List.of(e.getSuppressed()), "rollback of write " + n);
      }
      s.bench().hw.onEachWrite(() -> {});
      assertEquals(before, s.bench().state(), "hardware after write " + n + " failed");
      assertEquals(software, software(s), "software after write " + n + " failed");
      change.change().accept(s);
      assertTrue(s.f().msi().vectors().stream().allMatch(v -> v.masked() || s.f().fire(v.index())));
    }
    assertTrue(failures > 0, "the change writes something");
  }

  /// What has vectors is never deaf while something changes, or is changed back: a message arrives, or waits at the function.
  private static void firesAllTheTime(Stage s) {
    List<Integer> live = s.f().msi().vectors().stream().map(LiveVector::index).toList();
    SimpleFunction device = s.f().device();
    s.bench()
        .hw
        .onEachWrite(() -> {
          for (int v : live) {
            if (device.isEnabled()) {
              assertTrue(device.fire(v) || device.isPending(v), "vector " + v + " is lost");
            }
          }
        });
  }

  private static List<Object> software(Stage s) {
    return List.of(
        s.f().msi().vectors(),
        s.f().msi().isEnabled(),
        s.f().group().placement(),
        s.from().msiWindow(),
        s.to().msiWindow(),
        s.elsewhere().msiWindow(),
        s.from().groups(),
        s.to().groups(),
        s.elsewhere().groups(),
        s.bench().its0.vectorsFree(),
        s.bench().its1.vectorsFree(),
        s.bench().imsic.vectorsFree());
  }
}
