package dev.doorbell.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.iommu.ReservedRegion.Kind;
import dev.doorbell.simple.InjectedFault;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "design 4: groups of several streams and direct regions, a hardware write fails, each one in turn")
class HalfDoneTest {
  private static final ReservedRegion[] DIRECT = {
    Bench.region(Kind.DIRECT, 0x1_0000, 0x1000), Bench.region(Kind.DIRECT, 0x3_0000, 0x2000)
  };

  /// A bench, a domain, and a group of two streams with two direct regions.
  private static final class Stage {
    final Bench bench = new Bench();
    final Domain domain = bench.user("vm");
    final Domain other = bench.user("other");
    final IommuGroup group =
        IommuGroup.of(9, List.of(two(bench, 1)), List.of("two"), List.of(DIRECT), bench.ringers);

    List<Object> all() {
      return List.of(
          bench.state(),
          group.placement(),
          group.members(),
          domain.groups(),
          other.groups(),
          domain.reservedRegions());
    }
  }

  private static Member two(Bench bench, int stream) {
    return new Member(
        "0000:0%d:00.0".formatted(stream),
        IntStream.range(stream, stream + 2).mapToObj(s -> new Stream(bench.smmu0, s)).toList(),
        new Isolation(true, "its", OptionalInt.of(stream), Bench.TEST));
  }

  private void everyWrite(Consumer<Stage> before, Consumer<Stage> change) {
    int failures = 0;
    for (int n = 1; ; n++) {
      Stage s = new Stage();
      before.accept(s);
      List<Object> was = new ArrayList<>(s.all());
      s.bench.hw.failAt(n);
      try {
        change.accept(s);
        s.bench.hw.neverFail();
        break;
      } catch (InjectedFault e) {
        failures++;
        assertEquals(List.of(), List.of(e.getSuppressed()), "taking write " + n + " back");
      }
      assertEquals(was, s.all(), "after write " + n + " failed");
      change.accept(s);
    }
    assertTrue(failures > 1, "several writes");
  }

  @Test
  void attach() {
    everyWrite(s -> {}, s -> s.domain.attach(s.group));
  }

  @Test
  void detach() {
    everyWrite(s -> s.domain.attach(s.group), s -> s.domain.detach(s.group));
  }

  @Test
  void move() {
    everyWrite(s -> s.domain.attach(s.group), s -> s.other.attach(s.group));
  }

  @Test
  void bypass() {
    everyWrite(s -> {}, s -> s.group.bypass());
  }

  @Test
  void block() {
    everyWrite(s -> s.group.bypass(), s -> s.group.block());
  }

  @Test
  void add() {
    everyWrite(s -> s.domain.attach(s.group), s -> s.group.add(two(s.bench, 5)));
  }

  @Test
  void remove() {
    everyWrite(
        s -> {
          s.domain.attach(s.group);
          s.group.add(two(s.bench, 5));
        },
        s -> s.group.remove("0000:05:00.0"));
  }

  @Test
  void aGroupWithLiveVectorsIsNotBlockedOutsideADomain() {
    Bench bench = new Bench();
    IommuGroup group = bench.group(1);
    group.bypass();
    new LiveFunction(group, bench.hw, true, Bench.ITS0);
    assertThrows(VectorsLive.class, group::block);
    assertEquals(new IommuGroup.Placement.Bypassing(), group.placement());
  }
}
