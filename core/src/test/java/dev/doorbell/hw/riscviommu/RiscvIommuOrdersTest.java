package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.DirectoryLayout.TC_V;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// **Source**: RISC-V IOMMU Architecture 1.0.1, 4.1 (commands), 7.3 (changes of tables and what must follow them).
@DisplayName("RISC-V IOMMU's driver: what it invalidates, what it waits for, and in which order")
class RiscvIommuOrdersTest {
  private static final long MEMORY = 0x8000_0000L;
  private static final long TARGET = 0x9_0000_0000L;
  private static final int DEVICE = 0x1_0428;
  private static final int CONTEXT = 64;
  private static final int CQT = 0x24;
  private static final int COMMAND_BYTES = 16;
  private static final int ENTRIES = 256;
  private static final int IOTINVAL = 1;
  private static final int IOFENCE = 2;
  private static final int IODIR = 3;
  private static final long AV = 1L << 10;

  private final PlainMemory memory = new PlainMemory(MEMORY, 0x1000_0000L);
  private final CountedFrames frames = new CountedFrames(memory, MEMORY, 0x800_0000L);
  private final RiscvIommuModel model =
      new RiscvIommuModel(
          RiscvIommuFeatures.usual(48),
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

  /// First doublewords of the commands that were handed over, a list for each time.
  private final List<List<Long>> sent = new ArrayList<>();

  /// What was written to a device's context, and the commands sent meanwhile: `V` and `v` for a context that becomes valid and not valid, `w` for
  /// another word, `i` for IODIR.
  private final StringBuilder story = new StringBuilder();

  private RiscvIommuDriver iommu;
  private AddressSpace space;

  @BeforeEach
  void open() {
    iommu =
        RiscvIommuDriver.open(
            "riscv-iommu@0", registers(), memory, frames, RiscvIommuSettings.usual());
    space = iommu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(TARGET), 0x4000, Protection.READ_WRITE);
    iommu.attach(DEVICE, space);
    sent.clear();
    story.setLength(0);
  }

  private RegisterBus registers() {
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
        if (offset == CQT) {
          sent.add(new ArrayList<>());
          long base = DirectoryLayout.POINTER_PPN.get(read(0x18, 8)) << 12;
          for (; tail != value; tail = (tail + 1) % ENTRIES) {
            long first = memory.read64(base + COMMAND_BYTES * tail);
            sent.getLast().add(first);
            story.append((first & 0x7f) == IODIR ? "i" : "");
          }
        }
        if (model.write(offset, value, bytes, SystemBus.CPU) == BusOutcome.ERROR) {
          throw new BusErrorException("write", offset, bytes);
        }
      }
    };
  }

  private long write(long iova) {
    return model.translate(DEVICE, -1, iova, Translator.WRITE);
  }

  private List<Long> invalidations() {
    return sent.stream().flatMap(List::stream).filter(c -> (c & 0x7f) == IOTINVAL).toList();
  }

  @Test
  @DisplayName("each page that is taken away is forgotten, the last one, too")
  void everyPage() {
    for (long page = 0x1000; page <= 0x4000; page += 0x1000) {
      assertEquals(TARGET + page - 0x1000, write(page));
    }
    space.map(new Iova(0x5000), new Pa(TARGET), 0x1000, Protection.READ_WRITE);
    sent.clear();
    assertEquals(0x4000, space.unmap(new Iova(0x1000), 0x4000));
    assertEquals(4, invalidations().stream().filter(c -> (c & AV) != 0).count(), sent::toString);
    for (long page = 0x1000; page <= 0x4000; page += 0x1000) {
      assertEquals(Translator.FAULT, write(page));
    }
    assertEquals(TARGET, write(0x5000));
  }

  @Test
  @DisplayName("after a table was taken out, all of the address space is forgotten, not addresses")
  void tables() {
    long before = frames.bytesInUse();
    space.map(new Iova(0x4000_0000), new Pa(TARGET), 0x1000, Protection.READ_WRITE);
    assertTrue(frames.bytesInUse() > before);
    sent.clear();
    space.unmap(new Iova(0x4000_0000), 0x1000);
    assertEquals(before, frames.bytesInUse(), "its tables are given back");
    assertEquals(1, invalidations().size(), sent::toString);
    assertEquals(0, invalidations().getFirst() & AV, sent::toString);
  }

  @Test
  @DisplayName("whatever is sent ends with a fence, which is waited for")
  void fences() {
    space.unmap(new Iova(0x1000), 0x1000);
    iommu.bypass(DEVICE);
    assertTrue(sent.size() > 1);
    for (List<Long> batch : sent) {
      assertEquals(IOFENCE, batch.getLast() & 0x7f, sent::toString);
    }
    assertEquals(model.read(0x20, 4).value(), model.read(CQT, 4).value());
  }

  @Test
  @DisplayName("a context is not valid, and forgotten, before its words change")
  void context() {
    AddressSpace other = iommu.createAddressSpace(Granule.K4);
    long[] at = {-1};
    memory.onWrite((pa, before, after) -> {
      boolean first = pa % CONTEXT == 0 && TC_V.isSet(before) && !TC_V.isSet(after);
      if (at[0] < 0 && first) {
        at[0] = pa;
      }
      if (at[0] >= 0 && pa >= at[0] && pa < at[0] + CONTEXT) {
        story.append(pa != at[0] ? "w" : TC_V.isSet(after) ? "V" : "v");
      }
    });
    iommu.attach(DEVICE, other);
    assertTrue(story.toString().matches("viw+V"), story::toString);
  }

  @Test
  @DisplayName("what is cached of an address space is forgotten when its last device leaves")
  void lastDevice() {
    assertEquals(TARGET, write(0x1000));
    iommu.block(DEVICE);
    space.unmap(new Iova(0x1000), 0x1000);
    space.map(new Iova(0x1000), new Pa(TARGET + 0x10_0000), 0x1000, Protection.READ_WRITE);
    iommu.attach(DEVICE, space);
    assertEquals(TARGET + 0x10_0000, write(0x1000));
  }
}
