package dev.doorbell.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.iommu.IommuGroup.Placement;
import dev.doorbell.iommu.IommuGroup.Stream;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Two groups to whose functions firmware gave one StreamID.
class SharedStreamTest {
  private final Bench bench = new Bench();

  private IommuGroup.Member named(String name, int stream) {
    return new IommuGroup.Member(
        name,
        List.of(new Stream(bench.smmu0, stream)),
        new IommuGroup.Isolation(true, "an ITS", OptionalInt.empty(), Bench.TEST));
  }

  private IommuGroup group(int id, IommuGroup.Member... members) {
    return IommuGroup.of(id, List.of(members), List.of("test"), List.of(), bench.ringers);
  }

  private void refused(List<String> objects, Runnable step) {
    var before = bench.state();
    long writes = bench.hw.count();
    assertEquals(objects, assertThrows(StreamIdShared.class, step::run).refusal().objects());
    assertEquals(writes, bench.hw.count(), "hardware writes");
    assertEquals(before, bench.state());
  }

  @Test
  @DisplayName("R5: neither is attached, both named, and nothing is written")
  void attach() {
    IommuGroup a = group(1, named("a", 7));
    IommuGroup b = group(2, named("b", 7));
    Domain d = bench.user("d");
    refused(List.of("a", "b", "StreamID 0x7 of smmu0"), () -> d.attach(a));
    refused(List.of("b", "a", "StreamID 0x7 of smmu0"), () -> d.attach(b));
    assertEquals(new Placement.Blocked(), a.placement());
    assertEquals(List.of(), d.groups());
  }

  @Test
  @DisplayName("functions of one group may share a stream, as those behind a PCIe-to-PCI bridge do")
  void alias() {
    IommuGroup both = group(1, named("a", 7), named("b", 7));
    Domain d = bench.user("d");
    d.attach(both);
    assertEquals(new Placement.In(d), both.placement());
  }

  @Test
  @DisplayName("R14: a function with the stream of an attached group is not plugged into another")
  void plugged() {
    IommuGroup a = group(1, named("a", 7));
    IommuGroup b = group(2, named("b", 8));
    Domain d = bench.user("d");
    d.attach(a);
    refused(List.of("c", "a", "StreamID 0x7 of smmu0"), () -> b.add(named("c", 7)));
    assertEquals(1, b.members().size());
  }
}
