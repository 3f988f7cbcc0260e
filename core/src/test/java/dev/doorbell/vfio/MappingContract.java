package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.MappingOverlap;
import dev.doorbell.iommu.Misaligned;
import dev.doorbell.iommu.MsiWindowConflict;
import dev.doorbell.iommu.OutsideAperture;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.UnmapSplitsMapping;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What every implementation of {@link Vfio} does with memory.
abstract class MappingContract extends ContractFixture {
  @Test
  void aDeviceReachesWhatIsMappedAndNothingElse() {
    Sbdf f = lab.copier();
    Container c = container(lab.options(), f);
    Device d = device(f);
    start(d, List.of());
    DmaBuffer from = c.allocate(0x1000);
    DmaBuffer to = c.allocate(0x2000);
    afterContainers(from);
    afterContainers(to);
    from.write(8, 8, 0x1122_3344_5566_7788L);
    from.publish();
    c.map(new Iova(0x10_0000), from, Protection.READ_ONLY);
    c.map(new Iova(0x20_0000), to, Protection.READ_WRITE);
    assertTrue(lab.copy(d, new Iova(0x10_0008), new Iova(0x20_0010), 8));
    assertEquals(0x1122_3344_5566_7788L, to.read(0x10, 8));
    lab.copy(d, new Iova(0x20_0010), new Iova(0x10_0020), 8);
    assertEquals(0, from.read(0x20, 8), "read-only");
    assertEquals(0x1000, c.unmap(new AddressRange(0x10_0000, 0x10_0fff)));
    to.write(0x10, 8, 0);
    lab.copy(d, new Iova(0x10_0008), new Iova(0x20_0010), 8);
    assertFalse(to.read(0x10, 8) == 0x1122_3344_5566_7788L, "unmapped");
    c.unmap(AddressRange.ofSize(0, 0x100_0000));
  }

  @Test
  void mappingsAreRefusedByRule() {
    Container c = container(lab.options(), lab.msix().getFirst());
    DmaBuffer b = c.allocate(0x4000);
    afterContainers(b);
    long granule = c.granule().bytes();
    c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
    assertThrows(MappingOverlap.class, () -> c.map(new Iova(0x10_0000), b, Protection.READ_WRITE));
    assertThrows(Misaligned.class, () -> c.map(new Iova(granule / 2), b, Protection.READ_WRITE));
    assertThrows(
        OutsideAperture.class, () -> c.map(new Iova(-b.bytes()), b, Protection.READ_WRITE));
    assertEquals(lab.translatesMessages(), c.msiWindow().isPresent());
    c.msiWindow()
        .ifPresent(window -> {
          Iova inside = new Iova(window.start());
          assertThrows(MsiWindowConflict.class, () -> c.map(inside, b, Protection.READ_WRITE));
          assertTrue(c.iovaRanges().stream().noneMatch(r -> r.overlaps(window)));
        });
    assertThrows(
        UnmapSplitsMapping.class,
        () -> c.unmap(AddressRange.ofSize(0x10_0000, b.bytes() - granule)));
    assertThrows(
        UnmapSplitsMapping.class,
        () -> c.unmap(new AddressRange(0x10_0000 + granule, 0x10_0000 + b.bytes() - 1)));
    assertEquals(0, c.unmap(AddressRange.ofSize(0x80_0000, 0x1000)));
    assertEquals(b.bytes(), c.unmap(AddressRange.ofSize(0x10_0000, b.bytes())));
  }

  @Test
  void theContainerMapsWhereItIsFree() {
    Container c = container(lab.options(), lab.msix().getFirst());
    DmaBuffer a = c.allocate(0x4000);
    DmaBuffer b = c.allocate(0x4000);
    afterContainers(a);
    afterContainers(b);
    DmaMapping first = c.map(a, Protection.READ_WRITE);
    DmaMapping second = c.map(b, Protection.READ_ONLY);
    for (DmaMapping m : List.of(first, second)) {
      assertTrue(c.iovaRanges().stream().anyMatch(r -> r.contains(m.iovas())), m.iovas()::toString);
      assertThrows(MappingOverlap.class, () -> c.map(m.at(0), a, Protection.READ_WRITE));
    }
    assertFalse(first.iovas().overlaps(second.iovas()));
    assertThrows(IndexOutOfBoundsException.class, () -> second.at(-1));
    assertThrows(IndexOutOfBoundsException.class, () -> second.at(b.bytes()));
    assertEquals(second.iovas().last(), second.at(b.bytes() - 1).value());
    first.close();
    DmaMapping third = c.map(a, Protection.READ_WRITE);
    assertEquals(first.iovas(), third.iovas(), "the lowest that is free");
    first.close();
    assertThrows(InUse.class, a::close, "closing a mapping twice takes no later one away");
    third.close();
    second.close();
    NotAttached e =
        assertThrows(
            NotAttached.class, () -> container(lab.options()).map(a, Protection.READ_WRITE));
    assertEquals("NotAttached", e.refusal().type());
  }

  @Test
  void aMappingThatIsGoneTakesNoLaterOneAway() {
    Sbdf function = lab.msix().getFirst();
    Container c = container(lab.options(), function);
    DmaBuffer a = c.allocate(0x4000);
    afterContainers(a);
    DmaMapping unmapped = c.map(a, Protection.READ_WRITE);
    assertEquals(a.bytes(), c.unmap(unmapped.iovas()));
    c.map(unmapped.at(0), a, Protection.READ_WRITE);
    unmapped.close();
    assertEquals(0, c.unmap(unmapped));
    assertEquals(a.bytes(), c.unmap(unmapped.iovas()), "mapped by itself, and not closed with it");
    DmaMapping before = c.map(a, Protection.READ_WRITE);
    Group group = lab.vfio().group(function);
    c.detach(group);
    before.close();
    c.attach(group);
    DmaMapping after = c.map(a, Protection.READ_WRITE);
    before.close();
    assertThrows(InUse.class, a::close);
    after.close();
  }

  @Test
  void aBufferInUseIsNotGivenBack() {
    Container c = container(lab.options(), lab.msix().getFirst());
    DmaBuffer b = c.allocate(1);
    c.map(new Iova(0x10_0000), b, Protection.READ_WRITE);
    assertThrows(InUse.class, b::close);
    c.unmap(AddressRange.ofSize(0x10_0000, b.bytes()));
    b.close();
    assertThrows(IllegalStateException.class, () -> b.read(0, 1));
    assertThrows(
        IllegalStateException.class, () -> c.map(new Iova(0x10_0000), b, Protection.READ_WRITE));
  }
}
