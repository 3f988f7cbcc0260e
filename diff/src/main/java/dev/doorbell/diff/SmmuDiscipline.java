package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import java.util.List;

/// SMMUv3: stage 1, and stage 2 where the other machine has it.
record SmmuDiscipline(Hardware hardware, SmmuDialect dialect) implements Discipline<ModelRig> {
  @Override
  public List<Step> generate(long seed, int steps) {
    return new SmmuGenerator(seed, dialect, hardware == Hardware.SMMUV3_FULL).generate(steps);
  }

  /// QEMU's SMMU stays with two levels once it has had them (`smmu-two-level-sticky`).
  @Override
  public boolean wantsReset(Scenario scenario) {
    return scenario.steps().stream()
        .anyMatch(s ->
            s instanceof Step.Write(long address, int _, long value)
                && address == Board.SMMU + SmmuRegisters.STRTAB_BASE_CFG.offset()
                && SmmuRegisters.STRTAB_BASE_CFG_FMT.get(value) != SmmuRegisters.FMT_LINEAR);
  }

  @Override
  public Trial begin(ModelRig model, Rig other, Pace pace) {
    return new SmmuTrial(hardware, model, other, dialect, pace);
  }

  @Override
  public int commandWords() {
    return CommandLayout.BYTES / Long.BYTES;
  }

  @Override
  public void clear(PhysicalMemory memory) {
    memory.fill(Board.ARENA, Board.ARENA_BYTES, (byte) 0);
    if (hardware == Hardware.SMMUV3_FULL) {
      TargetPattern.fill(memory);
    }
  }

  @Override
  public List<Pace> paces() {
    return List.of(Pace.AHEAD, Pace.STEPWISE);
  }
}
