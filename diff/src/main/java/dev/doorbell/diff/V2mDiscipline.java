package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import java.util.ArrayList;
import java.util.List;

/// GICv2m frame with a GICv2 of one CPU.
final class V2mDiscipline implements Discipline {
  @Override
  public List<Step> generate(long seed, int steps) {
    return new V2mGenerator(seed).generate(steps);
  }

  @Override
  public Trial begin(Rig model, Rig other) {
    List<Place> registers = new ArrayList<>();
    for (int w = V2mGenerator.FIRST_WORD; w <= V2mGenerator.LAST_WORD; w++) {
      for (Register r :
          List.of(
              GicdRegisters.ISPENDR,
              GicdRegisters.ISACTIVER,
              GicdRegisters.ISENABLER,
              GicdRegisters.IGROUPR)) {
        registers.add(new Place(r.name() + w, Board.GICD + r.offset(w), r.bytes()));
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
    }
    Place settling = new Place("GICC_CTLR", Board.GICC + GiccRegisters.PMR.offset(), Integer.BYTES);
    return new PlainTrial(
        Hardware.GICV2M,
        model,
        other,
        new PlainTrial.Watch(registers, List.of(), settling, new V2mKnown()));
  }
}
