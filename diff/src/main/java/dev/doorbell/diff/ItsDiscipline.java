package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.gicits.GitsRegisters;
import dev.doorbell.hw.gicits.ItsCommandLayout;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.gicv3.LpiTables;
import java.util.ArrayList;
import java.util.List;

/// ITS with four Redistributors.
final class ItsDiscipline implements Discipline<ModelRig> {
  private static final int PENDING_BYTES = 0x2000;
  private static final int TABLE_BYTES = 0x2000;
  private static final int ITT_BYTES = 0x400;
  private static final PlainTrial.Watch WATCH = watch();

  @Override
  public List<Step> generate(long seed, int steps) {
    return new ItsGenerator(seed).generate(steps);
  }

  @Override
  public Trial begin(ModelRig model, Rig other, Pace pace) {
    return new PlainTrial(Hardware.ITS, model, other, WATCH, pace);
  }

  @Override
  public int commandWords() {
    return ItsCommandLayout.BYTES / Long.BYTES;
  }

  @Override
  public void clear(PhysicalMemory memory) {
    memory.fill(Board.ARENA, Board.ARENA_BYTES, (byte) 0);
  }

  @Override
  public List<Pace> paces() {
    return List.of(Pace.AHEAD, Pace.STEPWISE);
  }

  private static PlainTrial.Watch watch() {
    List<Place> registers = new ArrayList<>();
    registers.add(place(GitsRegisters.CREADR));
    registers.add(place(GitsRegisters.CWRITER));
    // Quiescent means something only while the ITS is disabled (IHI 0069 H, 12.19.4).
    registers.add(
        new Place(
            GitsRegisters.CTLR.name(),
            Board.ITS + GitsRegisters.CTLR.offset(),
            Integer.BYTES,
            GitsRegisters.ENABLED.mask()));
    List<Place> brief = new ArrayList<>(registers);
    List<PlainTrial.Range> tables = new ArrayList<>();
    int first = (int) LpiTables.pendingOffset(LpiTables.FIRST_LPI);
    for (int cpu = 0; cpu < Board.GICV3_CPUS; cpu++) {
      long at = ItsGenerator.PENDING + (long) cpu * ItsGenerator.PENDING_SPACING;
      brief.add(new Place("first LPIs pending at CPU " + cpu, at + first, Long.BYTES));
      tables.add(
          new PlainTrial.Range(
              "LPI pending table of CPU " + cpu, at + first, PENDING_BYTES - first));
    }
    tables.add(new PlainTrial.Range("device table", ItsGenerator.DEVICES, TABLE_BYTES));
    tables.add(
        new PlainTrial.Range("device table, level 2", ItsGenerator.DEVICE_PAGES, 2 * TABLE_BYTES));
    tables.add(new PlainTrial.Range("collection table", ItsGenerator.COLLECTIONS, TABLE_BYTES));
    tables.add(
        new PlainTrial.Range(
            "collection table, level 2", ItsGenerator.COLLECTION_PAGES, 2 * TABLE_BYTES));
    for (int i = 0; i < ItsGenerator.ITT_COUNT; i++) {
      tables.add(
          new PlainTrial.Range(
              "ITT " + i, ItsGenerator.ITTS + (long) i * ItsGenerator.ITT_SPACING, ITT_BYTES));
    }
    return new PlainTrial.Watch(
        brief,
        registers,
        tables,
        place(GicrRegisters.CTLR, Board.GICR + 3 * GicrRegisters.BYTES),
        ItsKnown::new);
  }

  private static Place place(Register register) {
    return place(register, Board.ITS);
  }

  private static Place place(Register register, long base) {
    return new Place(register.name(), base + register.offset(), register.bytes());
  }
}
