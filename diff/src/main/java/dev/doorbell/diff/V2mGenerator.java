package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.gicv2.GicdRegisters;
import dev.doorbell.hw.gicv2m.GicV2mRegisters;
import java.util.ArrayList;
import java.util.List;

/// Makes scenarios of a message frame and a GICv2 with one CPU: messages, changes of every state of an SPI, and the acknowledge cycle.
final class V2mGenerator {
  static final int FIRST_WORD = 2;
  static final int LAST_WORD = 4;
  private static final int WORD_BITS = 32;
  private static final int ALL = -1;
  private static final int EDGES = 0xaaaa_aaaa;

  private final Dice dice;
  private final List<Step> steps = new ArrayList<>();

  V2mGenerator(long seed) {
    dice = new Dice(seed);
  }

  List<Step> generate(int count) {
    setUp();
    for (; count > 0; count--) {
      int kind = dice.below(100);
      if (kind < 35) {
        message();
      } else if (kind < 70) {
        distributor();
      } else if (kind < 85) {
        steps.add(new Step.Acknowledge());
      } else if (kind < 88) {
        steps.add(new Step.Drain());
      } else {
        cpuInterface();
      }
    }
    return steps;
  }

  private void setUp() {
    gicd(GicdRegisters.CTLR, 0, 0);
    gicc(GiccRegisters.CTLR, 0, 0);
    for (int w = FIRST_WORD; w <= LAST_WORD; w++) {
      gicd(GicdRegisters.ICENABLER, w, ALL);
      gicd(GicdRegisters.ICPENDR, w, ALL);
      gicd(GicdRegisters.ICACTIVER, w, ALL);
      gicd(GicdRegisters.IGROUPR, w, 0);
    }
    // QEMU keeps the active priorities of Group 1 in GICC_NSAPR, and over a reset
    // (`gicv2-apr-reset`).
    for (int i = 0; i < 4; i++) {
      gicc(GiccRegisters.APR, i, 0);
      gicc(GiccRegisters.NSAPR, i, 0);
    }
    for (int w = FIRST_WORD; w <= LAST_WORD; w++) {
      for (int i = 0; i < 2; i++) {
        gicd(
            GicdRegisters.ICFGR, 2 * w + i, dice.percent(90) ? EDGES : (int) dice.bits(32) & EDGES);
      }
      for (int i = 0; i < 8; i++) {
        gicd(GicdRegisters.IPRIORITYR, 8 * w + i, dice.percent(50) ? 0 : (int) dice.bits(32));
      }
      gicd(GicdRegisters.ISENABLER, w, dice.percent(80) ? ALL : (int) dice.bits(32));
      gicd(GicdRegisters.IGROUPR, w, dice.percent(70) ? 0 : (int) dice.bits(32));
    }
    gicc(GiccRegisters.PMR, 0, dice.percent(80) ? 0xff : (int) dice.bits(8));
    gicc(GiccRegisters.BPR, 0, dice.percent(70) ? 0 : dice.below(8));
    gicc(GiccRegisters.ABPR, 0, dice.percent(70) ? 0 : dice.below(8));
    // One group alone is not enabled: QEMU shows interrupts of the other one
    // (`gicv2-group-enable`).
    gicd(GicdRegisters.CTLR, 0, dice.percent(90) ? 3 : 0);
    gicc(GiccRegisters.CTLR, 0, dice.percent(85) ? 7 : dice.of(0, 3, 4));
  }

  private int spi() {
    return dice.percent(85)
        ? Board.V2M_FIRST + dice.below(Board.V2M_COUNT)
        : dice.of(0, 31, 32, 79, 144, 287, 288, 1019, 1020, 1023, 1024 + 80, 0xffff);
  }

  private void message() {
    long at =
        Board.V2M
            + GicV2mRegisters.SETSPI_NS.offset()
            + (dice.percent(95) ? 0 : Integer.BYTES * (dice.below(8) - 4));
    if (dice.percent(85)) {
      steps.add(new Step.Message(dice.of(Board.REQUESTERS), at, spi()));
    } else {
      steps.add(new Step.Write(at, Integer.BYTES, spi()));
    }
  }

  private void distributor() {
    int word = dice.from(FIRST_WORD, LAST_WORD);
    int bits = dice.percent(80) ? 1 << dice.below(WORD_BITS) : (int) dice.bits(32);
    switch (dice.below(14)) {
      case 0 -> gicd(GicdRegisters.ISENABLER, word, bits);
      case 1 -> gicd(GicdRegisters.ICENABLER, word, bits);
      case 2, 3 -> gicd(GicdRegisters.ISPENDR, word, bits);
      case 4, 5 -> gicd(GicdRegisters.ICPENDR, word, bits);
      case 6 -> gicd(GicdRegisters.ISACTIVER, word, bits);
      case 7 -> gicd(GicdRegisters.ICACTIVER, word, bits);
      case 8, 9 -> gicd(GicdRegisters.IPRIORITYR, 8 * word + dice.below(8), (int) dice.bits(32));
      case 10 ->
          steps.add(
              new Step.Write(
                  Board.GICD + GicdRegisters.IPRIORITYR.offset(8 * word) + dice.below(WORD_BITS),
                  1,
                  dice.bits(8)));
      case 11 -> gicd(GicdRegisters.IGROUPR, word, bits);
      case 12 -> gicd(GicdRegisters.CTLR, 0, dice.percent(70) ? 3 : 0);
      default -> gicd(GicdRegisters.ITARGETSR, 8 * word + dice.below(8), (int) dice.bits(32));
    }
  }

  private void cpuInterface() {
    switch (dice.below(10)) {
      case 0 -> gicc(GiccRegisters.PMR, 0, dice.percent(60) ? 0xff : (int) dice.bits(8));
      case 1 -> gicc(GiccRegisters.BPR, 0, dice.below(8));
      case 2 -> gicc(GiccRegisters.ABPR, 0, dice.below(8));
      case 3 -> gicc(GiccRegisters.CTLR, 0, dice.percent(60) ? 7 : dice.of(0, 3, 4));
      case 4, 5 -> read(GiccRegisters.IAR);
      // QEMU has no GICC_AIAR, GICC_AEOIR and GICC_AHPPIR (`gicv2-aliases`).
      case 6 -> read(GiccRegisters.IAR);
      case 7 -> steps.add(new Step.Acknowledge());
      case 8 -> read(dice.of(List.of(GiccRegisters.HPPIR, GiccRegisters.RPR)));
      default ->
          read(
              dice.of(
                  List.of(
                      GiccRegisters.CTLR,
                      GiccRegisters.PMR,
                      GiccRegisters.BPR,
                      GiccRegisters.ABPR)));
    }
  }

  private void gicd(Register register, int index, int value) {
    steps.add(
        new Step.Write(
            Board.GICD + register.offset(index), Integer.BYTES, Integer.toUnsignedLong(value)));
  }

  private void gicc(Register register, int index, int value) {
    steps.add(
        new Step.Write(
            Board.GICC + register.offset(index), Integer.BYTES, Integer.toUnsignedLong(value)));
  }

  private void read(Register register) {
    steps.add(new Step.Read(Board.GICC + register.offset(), Integer.BYTES));
  }
}
