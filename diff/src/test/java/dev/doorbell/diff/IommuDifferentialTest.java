package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.riscviommu.RiscvIommuRegisters;
import dev.doorbell.qemu.QemuVersion;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName(
    "issues 6 and 7, differential test: it finds what is wrong with an IOMMU, and nothing where nothing is")
class IommuDifferentialTest {
  private static final int STEPS = 40;

  static List<Hardware> hardware() {
    return List.of(
        Hardware.VTD,
        Hardware.VTD_SCALABLE,
        Hardware.VTD_FIRST_STAGE,
        Hardware.AMDVI,
        Hardware.RISCV_IOMMU);
  }

  @ParameterizedTest
  @MethodSource("hardware")
  @DisplayName("the model shows no difference to itself, not even a known one")
  void none(Hardware hardware) {
    try (Differential d = Differential.with(hardware, QemuVersion.LEAST, hardware.twin())) {
      Differential.Report report = d.run(1, 200, STEPS, seed -> {});
      assertEquals(Optional.empty(), report.finding());
      assertEquals(Map.of(), report.tolerated());
    }
  }

  /// What a machine may do wrong.
  enum Fault {
    /// Commands are not carried out, and their waits neither.
    LOSES_COMMANDS,
    /// Messages arrive as another one's.
    MISTAKES_DATA,
    /// Writes land a page further.
    MISPLACES_WRITES,
    /// Interrupts do not arrive.
    LOSES_INTERRUPTS,
    /// Nothing is recorded.
    LOSES_RECORDS
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  @DisplayName(
      "a machine with a planted fault is found out within 50 scenarios, by a scenario that shows it again")
  void found(Fault fault) {
    for (Hardware hardware : hardware()) {
      boolean silent = fault == Fault.LOSES_RECORDS && hardware == Hardware.AMDVI;
      boolean none = fault == Fault.LOSES_INTERRUPTS && hardware == Hardware.RISCV_IOMMU;
      if (silent || none) {
        // QEMU's records nothing, so that none are compared; or interrupts are writes to memory.
        continue;
      }
      Rig faulty = new FaultyIommu(hardware, fault);
      try (Differential d = Differential.with(hardware, QemuVersion.LEAST, faulty)) {
        Differential.Report report = d.run(1, 50, STEPS, seed -> {});
        assertTrue(report.finding().isPresent(), () -> "%s of %s".formatted(fault, hardware));
        Recording again = Script.parse(report.finding().get().script(), "finding");
        assertTrue(d.replay(again).finding().isPresent(), fault::toString);
      }
    }
  }

  @Test
  @DisplayName(
      "an entry that was not invalidated may be used as it was, and not once it was invalidated")
  void staleUntilInvalidated() {
    VtdIommu vtd = new VtdIommu(false);
    FlatMemory memory = FlatMemory.of(0, Pc.RAM_BYTES);
    IommuEntries entries = new IommuEntries(vtd);
    Attempt message = Attempt.of(new Step.Message(0x10, 0x5000, 1));
    long slot = Pc.TABLES;
    memory.write64(slot, 1);
    entries.written(memory, slot, Long.BYTES);
    memory.write64(slot, 2);
    assertEquals(Set.of(1L, 2L), permitted(entries, memory, slot, message));
    entries.carriedOut(List.of(0x70022L, 0L));
    assertEquals(
        Set.of(1L, 2L), permitted(entries, memory, slot, message), "another domain's pages");
    entries.carriedOut(List.of(0x50022L, 0L));
    assertEquals(Set.of(2L), permitted(entries, memory, slot, message));
  }

  private static Set<Long> permitted(
      IommuEntries entries, PhysicalMemory memory, long slot, Attempt message) {
    Set<Long> out = new TreeSet<>();
    entries
        .permitted(memory, slot, ComparedIommu.Kind.PAGE, message, () -> 5)
        .forEach(words -> out.add(words[0]));
    return out;
  }

  @Test
  @DisplayName(
      "scenarios have broken entries of every level, wrong sources, invalidations left out and errors of the queue")
  void shapes() {
    Set<String> seen = new TreeSet<>();
    for (long seed = 1; seed <= 200; seed++) {
      for (Step step :
          Script.parse(Differential.script(Hardware.VTD, seed, STEPS), "seed").scenario().steps()) {
        if (step instanceof Step.Store(long address, _)) {
          seen.add(Hardware.VTD.family().stored(address));
        } else if (step instanceof Step.Command(List<Long> words)) {
          seen.add(Hardware.VTD.family().command(words));
        }
      }
    }
    assertAll(
        () -> assertTrue(seen.contains("page table entry"), seen::toString),
        () -> assertTrue(seen.contains("interrupt table entry"), seen::toString),
        () -> assertTrue(seen.contains("descriptor f"), seen::toString),
        () -> assertTrue(seen.contains("IOTLB descriptor"), seen::toString));
  }

  /// The model with a fault.
  private static final class FaultyIommu implements Rig {
    private final IommuRig model;
    private final Fault fault;
    private final boolean pc;

    FaultyIommu(Hardware hardware, Fault fault) {
      model = (IommuRig) hardware.twin();
      pc = hardware != Hardware.RISCV_IOMMU;
      this.fault = fault;
    }

    private long other(Fault when, long value, LongUnaryOperator change) {
      return fault == when ? change.applyAsLong(value) : value;
    }

    @Override
    public String name() {
      return fault.toString();
    }

    @Override
    public void reset() {
      model.reset();
    }

    @Override
    public PhysicalMemory memory() {
      return model.memory();
    }

    @Override
    public void write(long address, long value, int bytes) {
      boolean tail =
          pc
              ? (address & 0xfff) == 0x88 || (address & 0xffff) == 0x2008
              : (address & 0xfff) == RiscvIommuRegisters.CQT.offset();
      if (fault != Fault.LOSES_COMMANDS || !tail || value == 0) {
        model.write(address, value, bytes);
      }
    }

    @Override
    public void store(long address, List<Long> words) {
      model.store(address, words);
    }

    @Override
    public long[] ask(List<Place> places) {
      long[] out = model.ask(places);
      for (int i = 0; i < out.length; i++) {
        if (fault == Fault.LOSES_RECORDS && places.get(i).name().equals("FSTS_REG")) {
          out[i] &= ~2L;
        } else if (fault == Fault.LOSES_RECORDS && places.get(i).name().equals("fqt")) {
          out[i] = out[i + 1];
        }
      }
      return out;
    }

    @Override
    public void settle() {}

    @Override
    public void message(int requester, long address, int data) {
      boolean message = !pc || Pc.isMessage(address);
      model.message(
          requester, address, (int) other(Fault.MISTAKES_DATA, data, d -> message ? d ^ 1 : d));
      long landed = model.landed();
      if (fault == Fault.MISPLACES_WRITES && landed >= 0) {
        model.memory().write32(landed, model.overwritten());
        model.memory().write32(landed ^ Pc.PAGE, data);
      }
    }

    @Override
    public long fetch(int requester, long address) {
      return model.fetch(requester, address);
    }

    @Override
    public List<String> interrupts() {
      List<String> out = model.interrupts();
      return fault == Fault.LOSES_INTERRUPTS ? List.of() : out;
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
