package dev.doorbell.qemu;

import dev.doorbell.hw.papr.Calls;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Random calls of a guest, made to our model and to QEMU's hypervisor, step by step.
final class PaprScenario {
  /// What so many scenarios must have met.
  static final List<String> OUTCOMES =
      List.of(
          "H_PUT_TCE 0",
          "H_PUT_TCE -4",
          "H_GET_TCE 0",
          "H_GET_TCE -4",
          "H_STUFF_TCE 0",
          "H_PUT_TCE_INDIRECT 0",
          "H_PUT_TCE_INDIRECT -4",
          "ibm,change-msi 0",
          "ibm,change-msi -3",
          "ibm,change-msi fewer",
          "ibm,query-interrupt-source-number -1",
          "ibm,query-pe-dma-window 0",
          "ibm,create-pe-dma-window 0",
          "ibm,create-pe-dma-window -1",
          "ibm,create-pe-dma-window -3",
          "ibm,remove-pe-dma-window 0",
          "ibm,remove-pe-dma-window -3",
          "ibm,reset-pe-dma-window 0",
          "ibm,set-xive 0",
          "ibm,get-xive 0",
          "ibm,int-off 0",
          "ibm,int-on 0",
          "H_XIRR 0",
          "H_XIRR presented",
          "H_EOI 0",
          "H_CPPR 0",
          "H_IPOLL 0",
          "message sent",
          "DMA lands",
          "DMA lands nowhere",
          "papr-page-beyond-ram");

  private static final int[] RIDS = {Pseries.RID, Pseries.EDU, Pseries.NVME, 0x18};
  private static final int EDU_SOURCE = 0x1300;
  private static final long LIST = 0x30_0000L;
  private static final long PAGES = 0x40_0000L;
  private static final long SECOND = 0x800_0000_0000_0000L;

  private final PaprPair pair;
  private final SeededRandom dice;
  private final Map<String, Integer> seen;
  private final List<String> log = new ArrayList<>();

  /// @param leftOut calls that our model is to answer without doing anything
  PaprScenario(Pseries machine, Set<String> leftOut, SeededRandom dice, Map<String, Integer> seen) {
    this.pair = new PaprPair(machine, leftOut);
    this.dice = dice;
    this.seen = seen;
  }

  List<String> log() {
    return log;
  }

  /// {@return the first difference that is not a known one; empty when there is none}
  String run(int steps) {
    String found = begin();
    for (int i = 0; found.isEmpty() && i < steps; i++) {
      found = step();
    }
    return found.isEmpty() ? pair.compareMessages() : found;
  }

  /// The teaching device gets its message, a way for it, and memory for its transfers, so that not every scenario is about what is refused.
  private String begin() {
    int[] edu = {Pseries.EDU << 8, (int) (Pseries.BUID >>> 32), (int) Pseries.BUID};
    String found = rtas(Calls.CHANGE_MSI, 4, edu[0], edu[1], edu[2], Calls.CHANGE_MSI_FN, 1, 1);
    found += rtas(Calls.SET_XIVE, 1, EDU_SOURCE, 0, 5);
    found += hcall(Calls.H_CPPR, 0xff);
    found += hcall(Calls.H_STUFF_TCE, Pseries.LIOBN, 0, PAGES | 3, 8);
    return found + message() + hcall(Calls.H_XIRR, 0);
  }

  private String step() {
    return switch (dice.below(16)) {
      case 0, 1, 2 -> tce(Calls.H_PUT_TCE, aTce(), 0);
      case 3, 4 -> tce(Calls.H_GET_TCE, 0, 0);
      case 5 ->
          tce(Calls.H_STUFF_TCE, aTce(), dice.below(8) == 0 ? 513 + dice.below(9) : dice.below(20));
      case 6 -> indirect();
      case 7, 8 -> changeMsi();
      case 9 -> sourceNumber();
      case 10, 11 -> window();
      case 12 -> route();
      case 13 -> present();
      case 14 -> message() + hcall(Calls.H_XIRR, 0);
      default -> dma();
    };
  }

  private long liobn() {
    return switch (dice.below(12)) {
      case 0 -> Pseries.LIOBN + 2;
      case 1 -> dice.nextLong();
      case 2, 3, 4 -> Pseries.LIOBN + 1;
      default -> Pseries.LIOBN;
    };
  }

  /// Near the start and the end of both windows, and anywhere.
  private long aPlace(long liobn) {
    long base = liobn == Pseries.LIOBN + 1 ? SECOND : 0;
    return switch (dice.below(12)) {
      case 0 -> base + 0x3fff_f000L + dice.below(0x3000);
      case 1 -> dice.nextLong();
      case 2 -> base + (1L << dice.below(40));
      default -> base + (long) dice.below(16) * 0x1000 + dice.below(3);
    };
  }

  private long aTce() {
    long page =
        switch (dice.below(16)) {
          case 0 -> dice.nextLong() & -0x1000L;
          case 1 -> Pseries.RAM.bytes();
          case 2 -> 0;
          default -> PAGES + (long) dice.below(64) * 0x1000;
        };
    return page | (dice.below(3) == 0 ? dice.below(4) : 3);
  }

  private String tce(long call, long third, long fourth) {
    long liobn = liobn();
    return hcall(call, liobn, aPlace(liobn), third, fourth);
  }

  private String indirect() {
    int count = dice.below(10) == 0 ? 512 + dice.below(3) : dice.below(12);
    for (int i = 0; i < Math.min(count, 512); i++) {
      pair.memory().write64(LIST + 8L * i, Long.reverseBytes(aTce()));
    }
    long liobn = liobn();
    long list = dice.below(10) == 0 ? LIST + 8 : LIST;
    return hcall(Calls.H_PUT_TCE_INDIRECT, liobn, aPlace(liobn), list, count);
  }

  private String hcall(long... registers) {
    log.add(Calls.name(registers[0]) + " " + hex(registers));
    PaprPair.Answer a = pair.hcall(registers);
    return judge(a);
  }

  private static String hex(long[] r) {
    return Arrays.stream(r).skip(1).mapToObj(Long::toHexString).toList().toString();
  }

  private String judge(PaprPair.Answer a) {
    seen.merge(a.name() + " " + a.status(), 1, Integer::sum);
    a.more().forEach(m -> seen.merge(m, 1, Integer::sum));
    if (a.difference().isEmpty()) {
      return "";
    }
    if (!a.known().isEmpty()) {
      log.add("known: " + a.known());
      seen.merge(a.known(), 1, Integer::sum);
      return "";
    }
    return a.difference();
  }

  private String rtas(String call, int results, int... arguments) {
    log.add(call + " " + Arrays.toString(arguments));
    return judge(pair.rtas(call, results, arguments));
  }

  private int[] endpoint(int... more) {
    int[] out = new int[3 + more.length];
    boolean wrong = dice.below(20) == 0;
    out[0] = RIDS[dice.below(RIDS.length)] << 8;
    out[1] = (int) (Pseries.BUID >>> 32);
    out[2] = (int) Pseries.BUID + (wrong ? 1 : 0);
    System.arraycopy(more, 0, out, 3, more.length);
    return out;
  }

  private String changeMsi() {
    int function = dice.below(10) == 0 ? dice.below(8) : dice.below(2) + Calls.CHANGE_MSI_FN;
    return rtas(Calls.CHANGE_MSI, 4, endpoint(function, dice.below(12), 1 + dice.below(3)));
  }

  private String sourceNumber() {
    return rtas(Calls.SOURCE_NUMBER, 3, endpoint(dice.below(7)));
  }

  private String window() {
    return switch (dice.below(6)) {
      case 0 -> rtas(Calls.QUERY_WINDOW, 5, endpoint());
      case 1, 2, 3 ->
          rtas(
              Calls.CREATE_WINDOW,
              4,
              endpoint(
                  new int[] {12, 16, 13, 20}[dice.below(4)],
                  dice.below(6) == 0 ? dice.below(12) : 20 + dice.below(8)));
      case 4 -> rtas(Calls.REMOVE_WINDOW, 1, (int) Pseries.LIOBN + 1 + dice.below(2));
      default -> dice.below(3) == 0 ? rtas(Calls.RESET_WINDOW, 1, endpoint()) : "";
    };
  }

  private int aSource() {
    return dice.below(3) == 0 ? EDU_SOURCE : EDU_SOURCE + dice.below(14);
  }

  private String route() {
    return switch (dice.below(6)) {
      case 0, 1 ->
          rtas(
              Calls.SET_XIVE,
              1,
              aSource(),
              dice.below(8) == 0 ? 7 : 0,
              dice.below(4) == 0 ? 0xff : dice.below(10));
      case 2, 3 -> rtas(Calls.GET_XIVE, 3, aSource());
      case 4 -> rtas(Calls.INT_OFF, 1, aSource());
      default -> rtas(Calls.INT_ON, 1, aSource());
    };
  }

  private String present() {
    return switch (dice.below(6)) {
      case 0, 1 -> hcall(Calls.H_XIRR, 0);
      case 2, 3 -> hcall(Calls.H_EOI, pair.toEnd());
      case 4 -> hcall(Calls.H_IPOLL, 0, 0);
      default -> hcall(Calls.H_CPPR, dice.below(3) == 0 ? dice.below(10) : 0xff);
    };
  }

  private String message() {
    log.add("message");
    return judge(pair.message());
  }

  private String dma() {
    long at = (long) dice.below(16) * 0x1000 + 8L * dice.below(16);
    log.add("DMA to 0x%x".formatted(at));
    return judge(pair.dma(at));
  }
}
