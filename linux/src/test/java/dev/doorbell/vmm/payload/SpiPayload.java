package dev.doorbell.vmm.payload;

import dev.doorbell.vmm.payload.A64.Condition;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// As {@link LpiPayload}, for a machine with a GICv2, which has no messages: it takes one shared interrupt, an edge, so many times.
///
/// **Source**: Arm IHI 0048 (GICv2), chapter 4
public final class SpiPayload {
  /// The interrupt. One processor's word of GICD_ITARGETSR begins with it.
  public static final int INTID = 40;

  private static final long DISTRIBUTOR = 0x0800_0000L;
  private static final long INTERFACE = 0x0801_0000L;
  private static final int END = 0x1_0000;

  private SpiPayload() {}

  /// {@return the Image}
  ///
  /// @param rounds how many interrupts; each is asked for
  /// @param processor which takes them: 0, or 1, which processor 0 then switches on
  public static byte[] image(int rounds, int processor) {
    byte[] code = code(rounds, processor).assemble();
    ByteBuffer b = ByteBuffer.allocate(END).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0, code);
    LpiPayload.header(b);
    return b.array();
  }

  /// {@return the program, for a test to hold against another assembler}
  static A64 code(int rounds, int processor) {
    A64 a = new A64();
    LpiPayload.begin(a, processor);
    // GICD_ICFGR: an edge; GICD_ITARGETSR; GICD_ISENABLER; GICD_CTLR.
    a.mov(2, DISTRIBUTOR);
    a.mov(1, 2L << 2 * (INTID % 16)).strW(1, 2, 0xc00 + INTID / 16 * 4);
    a.mov(1, 1L << processor).strW(1, 2, 0x800 + INTID);
    a.mov(1, 1L << INTID % 32).strW(1, 2, 0x100 + INTID / 32 * 4);
    a.mov(1, 1).strW(1, 2, 0);
    // GICC_PMR, GICC_CTLR.
    a.mov(8, INTERFACE);
    a.mov(1, 0xff).strW(1, 8, 4);
    a.mov(1, 1).strW(1, 8, 0).dsb();
    a.mov(3, LpiPayload.CONSOLE).mov(4, LpiPayload.SPURIOUS).mov(5, INTID);
    a.mov(6, rounds).mov(7, 0);
    LpiPayload.say(a, LpiPayload.READY);
    a.label("round");
    LpiPayload.say(a, LpiPayload.ASK);
    // GICC_IAR, GICC_EOIR.
    a.label("wait").wfi().ldrW(1, 8, 0xc).cmp(1, 4).b(Condition.EQ, "wait");
    a.cmp(1, 5).b(Condition.NE, "wrong").strW(1, 8, 0x10);
    LpiPayload.end(a);
    return a;
  }
}
