package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import java.util.ArrayList;
import java.util.List;

/// GICv2m frame with a GICv2 of one CPU.
final class V2mDiscipline implements Discipline<ModelRig> {
  private static final PlainTrial.Watch WATCH = watch();

  @Override
  public List<Step> generate(long seed, int steps) {
    return new V2mGenerator(seed).generate(steps);
  }

  @Override
  public Trial begin(ModelRig model, Rig other, Pace pace) {
    return new PlainTrial(Hardware.GICV2M, model, other, WATCH, pace);
  }

  @Override
  public int commandWords() {
    return 0;
  }

  @Override
  public void clear(PhysicalMemory memory) {
    // A scenario uses no memory.
  }

  @Override
  public List<Pace> paces() {
    return List.of(Pace.AHEAD, Pace.STEPWISE);
  }

  private static PlainTrial.Watch watch() {
    List<Place> brief = new ArrayList<>();
    List<Place> registers = new ArrayList<>();
    for (int w = V2mGenerator.FIRST_WORD; w <= V2mGenerator.LAST_WORD; w++) {
      for (Register r :
          List.of(
              GicdRegisters.ISPENDR,
              GicdRegisters.ISACTIVER,
              GicdRegisters.ISENABLER,
              GicdRegisters.IGROUPR)) {
        Place place = new Place(r.name() + w, Board.GICD + r.offset(w), r.bytes());
        registers.add(place);
        if (r.equals(GicdRegisters.ISPENDR) || r.equals(GicdRegisters.ISACTIVER)) {
          brief.add(place);
        }
      }
      for (int i = 0; i < 8; i++) {
        int at = 8 * w + i;
        registers.add(
            new Place(
                "GICD_IPRIORITYR" + at,
                Board.GICD + GicdRegisters.IPRIORITYR.offset(at),
                Integer.BYTES));
      }
    }
    for (Register r : List.of(GiccRegisters.HPPIR, GiccRegisters.RPR)) {
      registers.add(new Place(r.name(), Board.GICC + r.offset(), r.bytes()));
      brief.add(registers.getLast());
    }
    Place settling = new Place("GICC_CTLR", Board.GICC + GiccRegisters.PMR.offset(), Integer.BYTES);
    return new PlainTrial.Watch(brief, registers, List.of(), settling, V2mKnown::new);
  }
}
