package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.GranuleNotSupported;
import dev.doorbell.iommu.OutsideAperture;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegionConflict;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName(
    "Linux: where a container maps, and what is left of its mappings, over a kernel in memory")
class LinuxMappingsTest extends TwoGroups {

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "where a group has its regions nothing is mapped while it is in: not before, not after, and not when it could not be attached")
  void regionsGoWithTheirGroup(Access access) {
    kernel.write(
        "sys/kernel/iommu_groups/2/reserved_regions",
        "0x0000000000100000 0x0000000000100fff direct\n");
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), kernel.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x1000)) {
        failing.failOpen(
            access == Access.CONTAINER ? "/dev/vfio/2" : "/dev/vfio/devices/vfio2", Errno.EACCES);
        assertThrows(ErrnoException.class, () -> c.attach(vfio.group(G)));
        failing.fail(-1, Errno.EIO);
        c.map(FROM, b, Protection.READ_WRITE);
        assertThrows(ReservedRegionConflict.class, () -> c.attach(vfio.group(G)));
        assertEquals(0x1000, c.unmap(LOW));
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(0x1000, c.unmap(LOW));
        c.attach(vfio.group(G));
        assertThrows(ReservedRegionConflict.class, () -> c.map(FROM, b, Protection.READ_WRITE));
        c.detach(vfio.group(G));
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(0x1000, c.unmap(LOW));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "a region that a function gives up when it is assigned (direct-relaxable) keeps nobody away")
  void relaxable(Access access) {
    kernel.write(
        "sys/kernel/iommu_groups/2/reserved_regions",
        "0x0000000000100000 0x0000000000100fff direct-relaxable\n");
    try (LinuxVfio vfio = open(access);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x1000)) {
        c.map(FROM, b, Protection.READ_WRITE);
        c.attach(vfio.group(G));
        assertEquals(0x1000, c.unmap(LOW));
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(0x1000, c.unmap(LOW));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "a mapping over the top of all IOVAs, or in a hole between the kernel's ranges: OutsideAperture, which names the ranges")
  void outsideTheRanges(Access access) {
    kernel.write("sys/kernel/iommu_groups/1/reserved_regions", "");
    FailingCalls counting = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(counting.calls(), kernel.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x4000)) {
        counting.fail(-1, Errno.EIO);
        assertThrows(
            OutsideAperture.class, () -> c.map(new Iova(-0x1000), b, Protection.READ_WRITE));
        for (long at : new long[] {0x7ff_e000L, 0x800_0000L, 0x80f_e000L}) {
          OutsideAperture e =
              assertThrows(
                  OutsideAperture.class, () -> c.map(new Iova(at), b, Protection.READ_WRITE));
          assertTrue(e.getMessage().contains("[0x0, 0x7ffffff], [0x8100000, "), e::getMessage);
        }
        assertEquals(List.of(), counting.made(), "before the kernel is asked");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("ranges are ascending, in whatever order the kernel tells them")
  void ascending(Access access) {
    kernel.rangesBackwards = true;
    try (LinuxVfio vfio = open(access);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      assertEquals(FakeSpace.RANGES, c.iovaRanges());
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("a kernel that unmaps less than was mapped is not believed: both figures")
  void unmapsLess(Access access) {
    try (LinuxVfio vfio = open(access);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x3000)) {
        c.map(FROM, b, Protection.READ_WRITE);
        kernel.unmapsLess = 0x1000;
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> c.unmap(LOW));
        assertTrue(e.getMessage().contains("unmapped 0x2000 bytes"), e::getMessage);
        assertTrue(e.getMessage().contains("0x3000 were mapped"), e::getMessage);
        c.detach(vfio.group(F));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("with the last group all mappings are gone: their IOVAs and buffers are free again")
  void lastGroupTakesMappings(Access access) {
    try (LinuxVfio vfio = open(access);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x3000)) {
        c.map(FROM, b, Protection.READ_WRITE);
        c.detach(vfio.group(F));
        c.attach(vfio.group(F));
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(0x3000, c.unmap(LOW));
      }
    }
  }

  @Test
  @DisplayName("iommufd: the granule is asked for anew when a group comes and when one goes")
  void granuleOfTheGroups() {
    try (LinuxVfio vfio = open(Access.IOMMUFD);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      assertEquals(Granule.K4, c.granule());
      kernel.alignment = Granule.K64.bytes();
      c.attach(vfio.group(G));
      assertEquals(Granule.K64, c.granule());
      kernel.alignment = Granule.K4.bytes();
      c.detach(vfio.group(G));
      assertEquals(Granule.K4, c.granule());
    }
  }

  @Test
  @DisplayName("iommufd: a granule that the group's IOMMU has not refuses the group")
  void granuleRefused() {
    ContainerOptions wanted = ContainerOptions.USUAL.withGranule(Granule.K4);
    try (LinuxVfio vfio = open(Access.IOMMUFD);
        LinuxContainer c = vfio.open(wanted)) {
      kernel.alignment = Granule.K64.bytes();
      assertThrows(GranuleNotSupported.class, () -> c.attach(vfio.group(F)));
      assertEquals(List.of(), c.groups());
      kernel.alignment = Granule.K4.bytes();
      c.attach(vfio.group(F));
    }
  }

  @Test
  @DisplayName("a tracking of writes that ended with its groups does not end a later one")
  void laterTracking() {
    kernel.rememberWrites();
    try (LinuxVfio vfio = open(Access.IOMMUFD);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      DirtyPages first = c.trackWrites();
      c.detach(vfio.group(F));
      c.attach(vfio.group(F));
      try (DirtyPages second = c.trackWrites()) {
        first.close();
        assertEquals(List.of(), second.take());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "a container that is closed with what the kernel does not let go: told, and nothing is left open")
  void closeRefused(Access access) {
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), kernel.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o)) {
      LinuxContainer c = vfio.open(ContainerOptions.USUAL);
      c.attach(vfio.group(F));
      c.attach(vfio.group(G));
      failing.failIoctl(
          access == Access.CONTAINER
              ? VfioLayout.VFIO_GROUP_UNSET_CONTAINER
              : IommufdLayout.IOMMU_IOAS_UNMAP,
          Errno.EIO);
      assertThrows(ErrnoException.class, c::close);
      failing.fail(-1, Errno.EIO);
      c.close();
    }
  }
}
