package dev.doorbell.hw.riscviommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RISC-V IOMMU: driver, model and walker together")
class RiscvIommuDriverTest {
  private static final long MEMORY = 0x8000_0000L;
  private static final long TARGET = 0x9_0000_0000L;
  private static final int DEVICE = 0x1_0428;

  /// Which commands a sabotaged queue leaves out: the first bits of their first doubleword.
  private interface Sabotage {
    boolean drops(long first);
  }

  private final PlainMemory memory = new PlainMemory(MEMORY, 0x1000_0000L);
  private final CountedFrames frames = new CountedFrames(memory, MEMORY, 0x800_0000L);
  private RiscvIommuModel model = model(RiscvIommuFeatures.usual(48));

  private RiscvIommuModel model(RiscvIommuFeatures features) {
    return new RiscvIommuModel(
        features,
        memory,
        new SystemBus() {
          @Override
          public BusOutcome write(long pa, long value, int bytes, int requester) {
            return BusOutcome.ERROR;
          }

          @Override
          public BusRead read(long pa, int bytes) {
            return BusRead.error(bytes);
          }
        });
  }

  private RegisterBus registers(Sabotage sabotage) {
    return new RegisterBus() {
      private long tail;

      @Override
      public long read(long offset, int bytes) {
        BusRead r = model.read(offset, bytes);
        if (r.outcome() == BusOutcome.ERROR) {
          throw new BusErrorException("read", offset, bytes);
        }
        return r.value();
      }

      @Override
      public void write(long offset, long value, int bytes) {
        if (offset == 0x24) {
          long base = (read(0x18, 8) >>> 10 & 0xfff_ffff_ffffL) << 12;
          for (; tail != value; tail = (tail + 1) % 256) {
            if (sabotage.drops(memory.read64(base + 16 * tail))) {
              memory.write64(base + 16 * tail, 2);
              memory.write64(base + 16 * tail + 8, 0);
            }
          }
        }
        if (model.write(offset, value, bytes, SystemBus.CPU) == BusOutcome.ERROR) {
          throw new BusErrorException("write", offset, bytes);
        }
      }
    };
  }

  private RiscvIommuDriver open() {
    return open(_ -> false);
  }

  private RiscvIommuDriver open(Sabotage sabotage) {
    return RiscvIommuDriver.open(
        "riscv-iommu@0", registers(sabotage), memory, frames, RiscvIommuSettings.usual());
  }

  private long write(long iova) {
    return model.translate(DEVICE, -1, iova, Translator.WRITE);
  }

  @Test
  @DisplayName(
      "a device is blocked, attached, mapped, unmapped, moved to other tables, passed and blocked again; nothing leaks")
  void life() {
    RiscvIommuDriver iommu = open();
    long idle = frames.bytesInUse();
    assertEquals(24, iommu.capabilities().streamIdBits());
    assertEquals(56, iommu.capabilities().inputBits());
    assertEquals(Translator.FAULT, write(0));
    assertEquals(258, iommu.drainFaults().getFirst().cause());
    AddressSpace a = iommu.createAddressSpace(Granule.K4);
    AddressSpace b = iommu.createAddressSpace(Granule.K4);
    assertEquals(new AddressRange(0, (1L << 56) - 1), a.aperture());
    a.map(new Iova(0x20_0000), new Pa(TARGET), 0x40_1000, Protection.READ_WRITE);
    b.map(new Iova(0x20_0000), new Pa(TARGET + 0x100_0000), 0x1000, Protection.READ_ONLY);
    iommu.attach(DEVICE, a);
    assertFalse(iommu.attachesHitlessly(DEVICE, b));
    assertEquals(TARGET + 0x40_0ff8, write(0x60_0ff8));
    assertEquals(TARGET + 8, write(0x20_0008));
    assertEquals(Translator.FAULT, write(0x60_1000));
    assertEquals(
        "Write/AMO page fault (15) of device 0x10428 at 0x601000",
        iommu.drainFaults().getFirst().toString());
    assertThrows(IllegalStateException.class, a::close);
    assertEquals(0x1000, a.unmap(new Iova(0x20_1000), 0x1000));
    assertEquals(Translator.FAULT, write(0x20_1000));
    assertEquals(TARGET + 0x2000, write(0x20_2000), "the rest of the cut block");
    iommu.attach(DEVICE, b);
    assertEquals(Translator.FAULT, write(0x20_0000), "read-only");
    assertEquals(TARGET + 0x100_0000, model.translate(DEVICE, -1, 0x20_0000, Translator.READ));
    iommu.bypass(DEVICE);
    assertEquals(0x7000, write(0x7000));
    iommu.block(DEVICE);
    assertEquals(Translator.FAULT, write(0x20_0000));
    a.close();
    b.close();
    assertTrue(frames.bytesInUse() > idle, "directory tables stay");
    iommu.close();
    assertEquals(0, frames.bytesInUse());
    assertEquals(Translator.FAULT, write(0x7000));
  }

  @Test
  @DisplayName(
      "hardware with fewer levels, base format, Sv39 only and no Svpbmt is driven as it is; one without a first stage is refused")
  void poorHardware() {
    model = model(RiscvIommuFeatures.usual(40).without(1L << 10 | 1L << 11 | 1L << 15 | 1L << 22));
    try (RiscvIommuDriver iommu = open()) {
      assertEquals(38, iommu.capabilities().inputBits());
      assertEquals(40, iommu.capabilities().outputBits());
      AddressSpace a = iommu.createAddressSpace(Granule.K4);
      assertThrows(
          IllegalArgumentException.class,
          () -> a.map(new Iova(1L << 38), new Pa(TARGET), 0x1000, Protection.DOORBELL));
      a.map(new Iova(0x800_0000), new Pa(TARGET), 0x1000, Protection.DOORBELL);
      iommu.attach(DEVICE, a);
      assertEquals(TARGET, write(0x800_0000));
      iommu.block(DEVICE);
      a.close();
    }
    model = model(RiscvIommuFeatures.usual(48).without(7L << 9));
    RiscvIommuUnsupported e = assertThrows(RiscvIommuUnsupported.class, this::open);
    assertTrue(e.getMessage().contains("Sv39"), e.getMessage());
    assertEquals(0, frames.bytesInUse());
  }

  @Test
  @DisplayName("no memory: opening and attaching leave nothing behind")
  void outOfFrames() {
    frames.limit(0x2000);
    assertThrows(OutOfFramesException.class, this::open);
    assertEquals(0, frames.bytesInUse());
    frames.limit(Long.MAX_VALUE);
    RiscvIommuDriver iommu = open();
    AddressSpace a = iommu.createAddressSpace(Granule.K4);
    frames.limit(frames.bytesInUse());
    assertThrows(OutOfFramesException.class, () -> iommu.attach(DEVICE, a));
    frames.limit(Long.MAX_VALUE);
    a.close();
    iommu.attach(DEVICE, iommu.createAddressSpace(Granule.K4));
  }

  @Test
  @DisplayName(
      "sabotage: a driver that leaves out IOTINVAL, or IODIR, is found out by the model's caches")
  void sabotage() {
    assertNotEquals(Translator.FAULT, staleAfterUnmap(first -> (first & 0x7f) == 1));
    assertEquals(Translator.FAULT, staleAfterUnmap(_ -> false));
    for (boolean drops : new boolean[] {false, true}) {
      model = model(RiscvIommuFeatures.usual(48));
      RiscvIommuDriver iommu = open(first -> drops && (first & 0x7f) == 3);
      AddressSpace a = iommu.createAddressSpace(Granule.K4);
      a.map(new Iova(0x1000), new Pa(TARGET), 0x1000, Protection.READ_WRITE);
      iommu.attach(DEVICE, a);
      assertEquals(TARGET, write(0x1000));
      iommu.bypass(DEVICE);
      assertEquals(drops, write(0x5000) == Translator.FAULT);
    }
  }

  private long staleAfterUnmap(Sabotage sabotage) {
    model = model(RiscvIommuFeatures.usual(48));
    RiscvIommuDriver iommu = open(sabotage);
    AddressSpace a = iommu.createAddressSpace(Granule.K4);
    a.map(new Iova(0x1000), new Pa(TARGET), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, a);
    assertEquals(TARGET, write(0x1000));
    a.unmap(new Iova(0x1000), 0x1000);
    return write(0x1000);
  }

  @Test
  @DisplayName("a command that the hardware does not know is told, and the queue goes on")
  void refusedCommand() {
    RiscvIommuDriver iommu = open();
    AddressSpace a = iommu.createAddressSpace(Granule.K4);
    a.map(new Iova(0x1000), new Pa(TARGET), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, a);
    // The model's directory has three levels: a wider device cannot be named.
    assertThrows(IllegalArgumentException.class, () -> iommu.block(1 << 24));
    boolean[] once = {true};
    memory.onWrite((pa, before, after) -> {
      if (once[0] && (after & 0x3ff) == 1) {
        once[0] = false;
        memory.write64(pa, 0x7e);
      }
    });
    RiscvIommuCommandRefused e =
        assertThrows(RiscvIommuCommandRefused.class, () -> a.unmap(new Iova(0x1000), 0x1000));
    assertTrue(e.getMessage().contains("cmd_ill"), e.getMessage());
    assertEquals(TARGET, write(0x1000), "taken back");
    assertEquals(0x1000, a.unmap(new Iova(0x1000), 0x1000));
    assertEquals(Translator.FAULT, write(0x1000));
  }

  @Test
  @DisplayName("random maps and unmaps: model, walker and a plain map agree on every page")
  void random() {
    Property.check(
        "RISC-V first stages",
        40,
        random -> {
          model = model(RiscvIommuFeatures.usual(48));
          try (RiscvIommuDriver iommu = open()) {
            AddressSpace a = iommu.createAddressSpace(Granule.K4);
            iommu.attach(DEVICE, a);
            TreeMap<Long, Long> pages = new TreeMap<>();
            for (int i = 0; i < 60; i++) {
              step(a, pages, random);
            }
            iommu.block(DEVICE);
            a.close();
          }
        });
  }

  private void step(AddressSpace a, TreeMap<Long, Long> pages, SeededRandom random) {
    long page = random.below(4) * 0x1000_0000L + random.below(1024) * 0x1000L;
    long bytes = random.oneIn(3) ? 0x20_0000L : 0x1000L * random.between(1, 5);
    if (random.nextBoolean()) {
      boolean free = pages.subMap(page, page + bytes).isEmpty();
      long pa = TARGET + (random.nextBoolean() ? page : random.below(4096) * 0x1000L);
      try {
        a.map(new Iova(page), new Pa(pa), bytes, Protection.READ_WRITE);
        assertTrue(free);
        for (long at = 0; at < bytes; at += 0x1000) {
          pages.put(page + at, pa + at);
        }
      } catch (IllegalArgumentException taken) {
        assertFalse(free);
      }
    } else {
      long expected = pages.subMap(page, page + bytes).size() * 0x1000L;
      assertEquals(expected, a.unmap(new Iova(page), bytes));
      pages.subMap(page, page + bytes).clear();
    }
    for (int i = 0; i < 8; i++) {
      long at =
          random.below(4) * 0x1000_0000L + random.below(1024) * 0x1000L + random.below(512) * 8L;
      Long expected = pages.get(at & -0x1000L);
      long pa = expected == null ? Translator.FAULT : expected | at & 0xfff;
      assertEquals(pa, write(at), () -> "model at 0x%x".formatted(at));
      assertEquals(pa, walked(DEVICE, at), () -> "walker at 0x%x".formatted(at));
    }
  }

  private long walked(int device, long iova) {
    MemoryView view =
        pa -> {
          try {
            return OptionalLong.of(memory.read64(pa));
          } catch (BusErrorException e) {
            return OptionalLong.empty();
          }
        };
    Map<String, Long> registers =
        Map.of("capabilities", model.read(0, 8).value(), "ddtp", model.read(0x10, 8).value());
    RiscvIommuWalk walk =
        new RiscvIommuWalker("riscv-iommu@0", registers, view).walk(device, new Iova(iova), true);
    assertEquals(walk.output().isEmpty(), walk.stoppedAt().isPresent());
    return walk.output().map(Pa::value).orElse(Translator.FAULT);
  }

  @Test
  @DisplayName(
      "hostile tables: model and walker end, say the same where both can tell, and throw nothing")
  void hostile() {
    Property.check(
        "tables of noise",
        400,
        random -> {
          model = model(RiscvIommuFeatures.usual(48));
          long root = MEMORY + 0x900_0000L;
          for (int i = 0; i < 8; i++) {
            for (int w = 0; w < 512; w++) {
              memory.write64(root + i * 0x1000L + w * 8L, noise(random, root));
            }
          }
          model.write(0x10, root >>> 2 | random.between(2, 4), 8, SystemBus.CPU);
          for (int i = 0; i < 20; i++) {
            int device = (int) random.bits(random.between(1, 24));
            long iova = random.anyMagnitude();
            long pa = model.translate(device, -1, iova, Translator.WRITE);
            long walked = walked(device, iova);
            if (pa != Translator.FAULT) {
              assertEquals(pa, walked, () -> "device 0x%x at 0x%x".formatted(device, iova));
            }
          }
        });
  }

  private static long noise(SeededRandom random, long root) {
    long table = root + random.below(8) * 0x1000L;
    return switch (random.below(8)) {
      case 0 -> table >>> 2 | 1;
      case 1 -> table >>> 2 | 0xd7;
      case 2 -> 1;
      case 3 -> (long) random.between(8, 10) << 60 | table >>> 12;
      case 4 -> 1L << 60 | table >>> 12;
      case 5 -> 0;
      case 6 -> table >>> 2 | 7;
      default -> random.anyMagnitude();
    };
  }

  @Test
  @DisplayName("translate allocates nothing in a hit, of one page and of many")
  void allocatesNothing() {
    for (int cached : List.of(16, 4096)) {
      model = model(new RiscvIommuFeatures(RiscvIommuFeatures.usual(48).capabilities(), cached));
      RiscvIommuDriver iommu = open();
      AddressSpace a = iommu.createAddressSpace(Granule.K4);
      for (int i = 0; i < 512; i++) {
        a.map(new Iova(0x1000L * i), new Pa(TARGET + 0x2000L * i), 0x1000, Protection.READ_WRITE);
      }
      iommu.attach(DEVICE, a);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      for (int run = 0; run < 6; run++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        long sum = 0;
        for (int i = 0; i < 2000; i++) {
          sum += write(cached == 16 ? 0x3000 : 0x1000L * (i % 512));
        }
        assertTrue(sum != 0);
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, least, "cache of " + cached);
    }
  }
}
