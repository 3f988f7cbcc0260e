package dev.doorbell.hw.riscviommu;

import static dev.doorbell.hw.riscviommu.RiscvIommuRegisters.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Field;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Sv39, Sv48 and Sv57 and their second stages: the driver's tables against a reference")
class RiscvWidthsPropertyTest {
  private static final List<Field> FIRST = List.of(SV39, SV48, SV57);
  private static final List<Field> SECOND = List.of(SV39X4, SV48X4, SV57X4);
  private static final int[] FIRST_BITS = {38, 47, 56};
  private static final int[] SECOND_BITS = {41, 50, 59};
  private static final int[] ENTRY_BITS = {12, 21, 30, 39, 48};
  private static final int DEVICE = 3;

  @Test
  @DisplayName(
      "tables are the widest that the IOMMU has; what is mapped is reached, at the lowest and at the highest addresses, and nothing else; the walker says the same")
  void widths() {
    Property.check("widths of tables", 60, dice -> new History(dice).run());
  }

  private static final class History {
    private final SeededRandom dice;
    private final boolean second;
    private final int bits;
    private final int physicalBits;
    private final RiscvBench bench;
    private final RiscvIommuDriver iommu;
    private final AddressSpace space;

    /// First and last IOVA of a mapping, and where it leads.
    private final TreeMap<Long, long[]> mapped = new TreeMap<>();

    History(SeededRandom dice) {
      this.dice = dice;
      second = dice.nextBoolean();
      int widest = dice.below(3);
      physicalBits = dice.pick(List.of(44, 46, 52));
      long without = 0;
      for (int i = 0; i < FIRST.size(); i++) {
        // Narrower ones may be missing, too: which there are says nothing of the others.
        boolean gone = i > widest || i < widest && dice.oneIn(2);
        without |= gone ? (second ? SECOND : FIRST).get(i).mask() : 0;
      }
      bits = (second ? SECOND_BITS : FIRST_BITS)[widest];
      bench = new RiscvBench(RiscvIommuFeatures.usual(physicalBits).without(without), second);
      iommu = bench.iommu;
      space = iommu.createAddressSpace(Granule.K4, second ? Stage.STAGE2 : Stage.STAGE1);
      iommu.attach(DEVICE, space);
    }

    void run() {
      assertEquals(bits, iommu.capabilities().inputBits());
      assertEquals(physicalBits, iommu.capabilities().outputBits());
      assertEquals(new AddressRange(0, (1L << bits) - 1), space.aperture());
      for (int i = 0; i < 40; i++) {
        if (mapped.isEmpty() || dice.below(3) > 0) {
          map();
        } else {
          unmap();
        }
        check();
      }
      iommu.block(DEVICE);
      space.close();
      iommu.close();
      assertEquals(0, bench.frames.bytesInUse());
    }

    /// {@return about where an entry of some level ends, or the aperture}
    private long edge(int most) {
      long at = dice.oneIn(3) ? 1L << most : (long) dice.between(1, 511) << dice.pick(levels());
      return at & ((1L << most) - 1);
    }

    private List<Integer> levels() {
      List<Integer> out = new ArrayList<>();
      for (int b : ENTRY_BITS) {
        if (b < bits) {
          out.add(b);
        }
      }
      return out;
    }

    private void map() {
      long bytes = dice.pick(List.of(0x1000L, 0x3000L, 0x20_0000L, 0x4000_0000L));
      long iova = (edge(bits) - (dice.oneIn(2) ? 0 : bytes)) & ((1L << bits) - 1);
      long pa = (edge(physicalBits) - (dice.oneIn(2) ? 0 : bytes)) & ((1L << physicalBits) - 1);
      long last = iova + bytes - 1;
      boolean taken = mapped.values().stream().anyMatch(m -> m[0] <= last && iova <= m[1]);
      boolean outside = last >>> bits != 0 || pa + bytes - 1 >>> physicalBits != 0;
      if (taken || outside) {
        assertThrows(
            IllegalArgumentException.class,
            () -> space.map(new Iova(iova), new Pa(pa), bytes, Protection.READ_WRITE));
        return;
      }
      space.map(new Iova(iova), new Pa(pa), bytes, Protection.READ_WRITE);
      mapped.put(iova, new long[] {iova, last, pa});
    }

    private void unmap() {
      long[] m = dice.pick(List.copyOf(mapped.values()));
      long bytes = m[1] - m[0] + 1;
      if (bytes > 0x1000 && dice.oneIn(2)) {
        long cut = dice.oneIn(2) ? 0x1000 : bytes / 2 & -0x1000;
        assertEquals(cut, space.unmap(new Iova(m[0]), cut));
        mapped.remove(m[0]);
        mapped.put(m[0] + cut, new long[] {m[0] + cut, m[1], m[2] + cut});
      } else {
        assertEquals(bytes, space.unmap(new Iova(m[0]), bytes));
        mapped.remove(m[0]);
      }
    }

    private long expected(long iova) {
      Map.Entry<Long, long[]> m = iova < 0 ? null : mapped.floorEntry(iova);
      return m == null || iova > m.getValue()[1]
          ? Translator.FAULT
          : m.getValue()[2] + (iova - m.getValue()[0]);
    }

    private void check() {
      List<Long> at = new ArrayList<>(List.of(0L, (1L << bits) - 8, 1L << bits, -8L));
      for (long[] m : mapped.values()) {
        at.addAll(List.of(m[0] - 8, m[0], (m[0] + m[1]) / 2 & -8, m[1] - 7, m[1] + 1));
      }
      for (int b : levels()) {
        at.add((1L << b) + 8);
      }
      RiscvIommuWalker walker = bench.walker();
      for (long iova : at) {
        String where = "0x%x of %d bits".formatted(iova, bits);
        assertEquals(expected(iova), bench.write(DEVICE, -1, iova), where);
        RiscvIommuWalk walk = walker.walk(DEVICE, new Iova(iova), true);
        assertEquals(
            expected(iova), walk.output().map(Pa::value).orElse(Translator.FAULT), walk::toString);
      }
    }
  }
}
