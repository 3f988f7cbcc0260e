package dev.doorbell.hw.amdvi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Model and walker read the same tables by code of their own. Entries here have no reserved bits, which the walker does not judge.
class AmdViAgreementTest {
  private static final long BYTES = 1L << 20;
  private static final int DEVICES = 128;

  private static final long INTERRUPTS = BYTES / 2;

  /// Device table entries fill the first page, page tables and interrupt tables a half each of the rest.
  private static long table(SeededRandom random) {
    return random.between(1L, 127L) << 12;
  }

  private static long entry(SeededRandom random) {
    int sized = random.between(0, 12);
    long address =
        random.oneIn(3) ? random.bits(20) << 21 | (1L << 12 + sized) - (1L << 12) : table(random);
    int next = random.oneIn(3) ? random.below(8) : random.pick(List.of(0, 1, 2, 7));
    return IoPageLayout.ADDRESS.place(address)
        | IoPageLayout.NEXT_LEVEL.place(next)
        | (random.oneIn(12) ? 0 : IoPageLayout.PR.mask())
        | (random.oneIn(12) ? 0 : IoPageLayout.IR.mask())
        | (random.oneIn(12) ? 0 : IoPageLayout.IW.mask());
  }

  private static void device(SeededRandom random, PlainMemory memory, int device) {
    long at = (long) device * DteLayout.BYTES;
    memory.write64(
        at,
        (random.oneIn(8) ? 0 : DteLayout.V.mask())
            | (random.oneIn(8) ? 0 : DteLayout.TV.mask())
            | (random.oneIn(8) ? 0 : DteLayout.IR.mask() | DteLayout.IW.mask())
            | DteLayout.MODE.place(random.below(8))
            | DteLayout.ROOT.place(table(random)));
    memory.write64(at + 8, DteLayout.DOMAIN_ID.place(device));
    memory.write64(
        at + 16,
        (random.oneIn(8) ? 0 : DteLayout.IV.mask())
            | DteLayout.INT_TAB_LEN.place(random.below(14))
            | DteLayout.INT_TAB_ROOT.place(INTERRUPTS + table(random))
            | DteLayout.INT_CTL.place(random.oneIn(3) ? random.below(4) : 2)
            | (random.nextBoolean() ? DteLayout.NMI_PASS.mask() : 0)
            | (random.nextBoolean() ? DteLayout.EINT_PASS.mask() : 0));
  }

  private static long interrupts(SeededRandom random) {
    long word = 0;
    for (int half = 0; half < 2; half++) {
      word =
          word << Integer.SIZE
              | (random.oneIn(5) ? 0 : IrteLayout.REMAP_EN.mask())
              | IrteLayout.INT_TYPE.place(random.below(2))
              | IrteLayout.DM.place(random.below(2))
              | IrteLayout.DESTINATION.place(random.bits(8))
              | IrteLayout.VECTOR.place(random.bits(8));
    }
    return word;
  }

  private static MemoryView view(PlainMemory memory) {
    return new MemoryView() {
      @Override
      public OptionalLong read64(long pa) {
        try {
          return OptionalLong.of(memory.read64(pa));
        } catch (BusErrorException e) {
          return OptionalLong.empty();
        }
      }

      @Override
      public Source source(long pa) {
        return Source.rule("memory at 0x" + Long.toHexString(pa));
      }
    };
  }

  private static PlainMemory tables(SeededRandom random) {
    PlainMemory memory = new PlainMemory(0, BYTES);
    for (long at = 0x1000; at < BYTES; at += 8) {
      if (random.oneIn(3)) {
        memory.write64(at, at >= INTERRUPTS ? interrupts(random) : entry(random));
      }
    }
    for (int device = 0; device < DEVICES; device++) {
      device(random, memory, device);
    }
    return memory;
  }

  /// What reached the local APICs of a model, and a walker of the same memory.
  private record Pair(AmdViModel model, List<String> arrived, AmdViWalker walker) {
    static Pair of(PlainMemory memory) {
      List<String> arrived = new ArrayList<>();
      AmdViModel model =
          new AmdViModel(
              AmdViFeatures.all(),
              memory,
              (destination, command, wide) ->
                  arrived.add("%x %x %b".formatted(destination, command, wide)),
              _ -> {});
      model.write(AmdViRegisters.CONTROL_REG.offset(), 1, 8, SystemBus.CPU);
      return new Pair(
          model,
          arrived,
          new AmdViWalker("amd", Map.of("CONTROL", 1L, "DEVTAB_BASE", 0L), view(memory)));
    }

    /// {@return whether the access passes}
    boolean access(int device, long iova, boolean write) {
      long walked =
          walker
              .dma(device, new Iova(iova), write)
              .output()
              .map(Pa::value)
              .filter(pa -> pa >>> 20 != 0xfee)
              .orElse(Translator.FAULT);
      int access = write ? Translator.WRITE : Translator.READ;
      assertEquals(walked, model.translate(device, -1, iova, access), "device " + device);
      return walked != Translator.FAULT;
    }

    /// {@return whether the message arrives}
    boolean message(int device, int data) {
      long address = AmdViBench.FEE | 0x7000;
      String walked =
          walker
              .message(device, address, data)
              .interrupt()
              .map(i -> "%x %x %b".formatted(i.destination(), i.command(), i.wide()))
              .orElse("");
      arrived.clear();
      model.message(device, address, data, 4);
      assertEquals(walked, String.join(",", arrived), "message of device " + device);
      return !walked.isEmpty();
    }
  }

  @Test
  @DisplayName("Model and walker agree about accesses and messages on random tables")
  void agree() {
    int[] reached = new int[4];
    Property.check(
        "AMD-Vi model and walker agree",
        80,
        random -> {
          Pair pair = Pair.of(tables(random));
          for (int device = 0; device < DEVICES; device++) {
            long iova = random.oneIn(3) ? random.anyMagnitude() : random.bits(21);
            if (iova >>> 20 != 0xfee) {
              reached[pair.access(device, iova, random.nextBoolean()) ? 1 : 0]++;
            }
            int data = (int) random.bits(random.between(1, 11));
            reached[pair.message(device, data) ? 3 : 2]++;
          }
        });
    for (int count : reached) {
      assertTrue(count > 200, () -> "reached " + Arrays.toString(reached));
    }
  }
}
