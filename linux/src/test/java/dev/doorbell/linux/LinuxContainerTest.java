package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.iommu.MsiWindowConflict;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.NotAttached;
import dev.doorbell.vfio.RegionType;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("Linux: what containers of the kernel have besides, over a kernel in memory")
class LinuxContainerTest extends TwoGroups {
  private static final Iova TO = new Iova(0x20_0000);

  /// Has a function copy a word.
  private static void copy(Device d, Iova from, Iova to) {
    RegisterBus r = d.region(RegionType.BAR0);
    r.write(DemoLayout.SOURCE.offset(), from.value(), Long.BYTES);
    r.write(DemoLayout.DESTINATION.offset(), to.value(), Long.BYTES);
    r.write(DemoLayout.LENGTH.offset(), 8, Integer.BYTES);
    r.write(DemoLayout.COPY.offset(), DemoLayout.START.place(1), Integer.BYTES);
    assertTrue(DemoLayout.DONE.isSet(r.read(DemoLayout.COPIED.offset(), Integer.BYTES)));
  }

  @Test
  @DisplayName(
      "iommufd: pages that a device writes are told once, neighbours as one; those that it reads are not")
  void writesAreRemembered() {
    kernel.rememberWrites();
    try (LinuxVfio vfio = open(Access.IOMMUFD);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer from = c.allocate(0x1000);
          DmaBuffer to = c.allocate(0x8000);
          Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        c.map(FROM, from, Protection.READ_ONLY);
        c.map(TO, to, Protection.READ_WRITE);
        copy(d, FROM, TO);
        DirtyPages t = c.trackWrites();
        assertEquals(Granule.K4, t.page());
        assertThrows(InUse.class, c::trackWrites);
        assertEquals(List.of(), t.take(), "what was written before does not count");
        copy(d, FROM, new Iova(TO.value() + 0x2000));
        copy(d, FROM, new Iova(TO.value() + 0x3008));
        copy(d, FROM, new Iova(TO.value() + 0x7000));
        assertEquals(
            List.of(
                AddressRange.ofSize(TO.value() + 0x2000, 0x2000),
                AddressRange.ofSize(TO.value() + 0x7000, 0x1000)),
            t.take());
        assertEquals(List.of(), t.take());
        c.attach(vfio.group(G));
        try (Device g = vfio.group(G).open(G)) {
          g.config().write(4, 6, 2);
          copy(g, FROM, TO);
        }
        assertEquals(
            List.of(AddressRange.ofSize(TO.value(), 0x1000)),
            t.take(),
            "of a group that came later");
        c.detach(vfio.group(G));
        t.close();
        t.close();
        assertThrows(IllegalStateException.class, t::take);
        copy(d, FROM, TO);
        try (DirtyPages again = c.trackWrites()) {
          assertEquals(List.of(), again.take());
        }
        c.unmap(LOW);
      }
    }
  }

  @Test
  @DisplayName("iommufd: pages around the ends of the bitmap's words are told each by its own bit")
  void wordsOfTheBitmap() {
    kernel.rememberWrites();
    try (LinuxVfio vfio = open(Access.IOMMUFD);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer from = c.allocate(0x1000);
          DmaBuffer to = c.allocate(201 * 0x1000L);
          Device d = vfio.group(F).open(F)) {
        d.config().write(4, 6, 2);
        c.map(FROM, from, Protection.READ_ONLY);
        c.map(TO, to, Protection.READ_WRITE);
        DirtyPages t = c.trackWrites();
        for (long page : new long[] {200, 128, 127, 64, 63, 0}) {
          copy(d, FROM, new Iova(TO.value() + page * 0x1000));
        }
        List<AddressRange> told = t.take();
        List<Long> pages =
            told.stream()
                .flatMap(r ->
                    LongStream.range(0, r.bytes() / 0x1000)
                        .mapToObj(i -> (r.start() - TO.value()) / 0x1000 + i))
                .toList();
        assertEquals(List.of(0L, 63L, 64L, 127L, 128L, 200L), pages);
        assertEquals(4, told.size(), "neighbours are one, also across words");
        t.close();
        c.unmap(LOW);
      }
    }
  }

  @Test
  @DisplayName("type 1: that tracking ends is told to the kernel, and its refusal to the user")
  void type1Ends() {
    kernel.rememberWrites();
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), kernel.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      DirtyPages t = c.trackWrites();
      failing.failIoctl(VfioLayout.VFIO_IOMMU_DIRTY_PAGES, Errno.EIO);
      assertThrows(ErrnoException.class, t::close);
      failing.fail(-1, Errno.EIO);
    }
  }

  @Test
  @DisplayName(
      "type 1 before 5.4 tells no ranges: everything may be tried, and the kernel's refusal is told")
  void oldKernel() {
    kernel.tellsRanges = false;
    try (LinuxVfio vfio = open(Access.CONTAINER);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      assertEquals(List.of(AddressRange.ALL), c.iovaRanges());
      assertEquals(OptionalLong.empty(), c.mappingsLeft());
      try (DmaBuffer b = c.allocate(0x1000)) {
        ErrnoException e =
            assertThrows(
                ErrnoException.class, () -> c.map(new Iova(1L << 50), b, Protection.READ_WRITE));
        assertEquals(Errno.EINVAL, e.errno());
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(0x1000, c.unmap(LOW));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "a mapping is one system call: ranges and regions change with the container's groups alone, and are asked for then")
  void oneCallEach(Access access) {
    FailingCalls counting = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(counting.calls(), kernel.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      kernel.remove("sys/kernel/iommu_groups/1/reserved_regions");
      try (DmaBuffer b = c.allocate(0x1000)) {
        counting.fail(-1, Errno.EIO);
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(List.of("ioctl"), counting.made());
        c.unmap(LOW);
        assertEquals(List.of("ioctl", "ioctl"), counting.made());
        assertThrows(
            MsiWindowConflict.class, () -> c.map(new Iova(0x800_0000), b, Protection.READ_WRITE));
        c.attach(vfio.group(G));
        c.detach(vfio.group(F));
        assertThrows(
            MsiWindowConflict.class, () -> c.map(new Iova(0x800_0000), b, Protection.READ_WRITE));
        counting.fail(-1, Errno.EIO);
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(List.of("ioctl"), counting.made());
        c.unmap(LOW);
      }
    }
  }

  @Test
  @DisplayName("type 1: every page that is mapped counts as written, each time")
  void type1CountsAll() {
    kernel.rememberWrites();
    try (LinuxVfio vfio = open(Access.CONTAINER);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x5000);
          DirtyPages t = c.trackWrites()) {
        assertEquals(List.of(), t.take());
        c.map(FROM, b, Protection.READ_WRITE);
        List<AddressRange> all = List.of(AddressRange.ofSize(FROM.value(), 0x5000));
        assertEquals(all, t.take());
        assertEquals(all, t.take());
        c.unmap(LOW);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName(
      "a kernel, or an IOMMU, that remembers nothing: NoDirtyTracking, and functions work on")
  void nothingRemembered(Access access) {
    try (LinuxVfio vfio = open(access);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      assertThrows(NotAttached.class, c::trackWrites);
      c.attach(vfio.group(F));
      for (boolean requests : new boolean[] {true, false}) {
        kernel.hasDirtyTables = requests;
        KernelLacks e = assertThrows(KernelLacks.class, c::trackWrites);
        assertEquals("NoDirtyTracking", e.refusal().type());
      }
      try (DmaBuffer b = c.allocate(0x1000)) {
        c.map(FROM, b, Protection.READ_WRITE);
        assertEquals(0x1000, c.unmap(LOW));
      }
    }
  }

  @Test
  @DisplayName("the last group takes tracking with it, and another group finds none")
  void trackingEndsWithTheLastGroup() {
    kernel.rememberWrites();
    try (LinuxVfio vfio = open(Access.IOMMUFD);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      DirtyPages t = c.trackWrites();
      c.detach(vfio.group(F));
      c.attach(vfio.group(G));
      assertThrows(IllegalStateException.class, t::take);
      t.close();
      c.trackWrites().close();
    }
  }

  @Test
  @DisplayName(
      "VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL: how many mappings are left, and ENOSPC in words beyond")
  void mappingsRunOut() {
    kernel.mostMappings = 2;
    try (LinuxVfio vfio = open(Access.CONTAINER);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      assertEquals(OptionalLong.of(2), c.mappingsLeft());
      try (DmaBuffer b = c.allocate(0x3000)) {
        for (int i = 0; i < 2; i++) {
          DmaBuffer part = b.part(AddressRange.ofSize(i * 0x1000L, 0x1000));
          c.map(new Iova(FROM.value() + i * 0x1000L), part, Protection.READ_WRITE);
        }
        assertEquals(OptionalLong.of(0), c.mappingsLeft());
        ErrnoException e =
            assertThrows(ErrnoException.class, () -> c.map(TO, b, Protection.READ_WRITE));
        assertEquals(Errno.ENOSPC, e.errno());
        assertTrue(e.refusal().advice().contains("dma_entry_limit"));
        assertEquals(0x2000, c.unmap(LOW));
        assertEquals(OptionalLong.of(2), c.mappingsLeft());
      }
    }
    try (LinuxVfio vfio = open(Access.IOMMUFD);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      assertFalse(c.mappingsLeft().isPresent(), "iommufd has no such limit");
    }
  }

  @ParameterizedTest
  @EnumSource(Access.class)
  @DisplayName("ENOMEM for locked pages: both figures, RLIMIT_MEMLOCK and what is locked already")
  void lockedMemoryRunsOut(Access access) {
    kernel.write("proc/self/limits", "Max locked memory         65536      65536      bytes\n");
    kernel.write("proc/self/status", "VmLck:\t       8 kB\nVmPin:\t       4 kB\n");
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), kernel.root(), access, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(F));
      try (DmaBuffer b = c.allocate(0x2_0000)) {
        failing.failIoctl(
            access == Access.CONTAINER
                ? VfioLayout.VFIO_IOMMU_MAP_DMA
                : IommufdLayout.IOMMU_IOAS_MAP,
            Errno.ENOMEM);
        ErrnoException e =
            assertThrows(ErrnoException.class, () -> c.map(FROM, b, Protection.READ_WRITE));
        assertEquals(0x2_0000, e.refusal().needed().orElseThrow().value());
        assertEquals(65536 - 12 * 1024, e.refusal().available().orElseThrow().value());
        assertTrue(e.getMessage().contains("RLIMIT_MEMLOCK"), e.getMessage());
        failing.fail(-1, Errno.EIO);
        c.map(FROM, b, Protection.READ_WRITE);
        c.unmap(LOW);
      }
    }
  }

  @Test
  @DisplayName(
      "huge pages that nobody set aside are refused with both figures; those that are there can be had")
  void hugePages() {
    kernel.write(
        "proc/meminfo",
        "HugePages_Total:       3\nHugePages_Free:        1\nHugepagesize:       2048 kB\n");
    FailingCalls failing = new FailingCalls(kernel.calls());
    LinuxOptions o =
        new LinuxOptions(failing.calls(), kernel.root(), Access.CONTAINER, false, f -> List.of());
    try (LinuxVfio vfio = LinuxVfio.open(o);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      failing.fail(0, Errno.ENOMEM);
      ErrnoException e = assertThrows(ErrnoException.class, () -> c.allocateHuge(0x20_0001));
      assertEquals(List.of("mmap"), failing.made());
      assertEquals(0x40_0000, e.refusal().needed().orElseThrow().value());
      assertEquals(0x20_0000, e.refusal().available().orElseThrow().value());
      assertTrue(e.refusal().advice().contains("nr_hugepages"));
    }
  }
}
