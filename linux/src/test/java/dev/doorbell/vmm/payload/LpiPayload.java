package dev.doorbell.vmm.payload;

import dev.doorbell.vmm.payload.A64.Condition;
import dev.doorbell.vmm.payload.A64.SystemRegister;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/// A guest of one purpose: it sets its GICv3 and ITS up, maps event 0 of one device to LPI 8192, and takes that LPI so many times; then it
/// tells how many it took and switches the machine off. As an arm64 kernel Image, to lie at the start of memory, MMU off.
///
/// It leaves the machine by writes to the console's data register: a letter for each step, and once around, where no function raises the
/// interrupt, the letter that asks for one.
///
/// **Source**: Arm IHI 0069 (GICv3), chapters 5 and 12; `Documentation/arch/arm64/booting.rst`; Arm DEN 0022 (PSCI)
public final class LpiPayload {
  /// What it writes to the console.
  public static final char READY = 'R';

  /// Asks for an interrupt.
  public static final char ASK = '?';

  /// Has taken all.
  public static final char DONE = 'D';

  /// Took another interrupt than the one it has.
  public static final char WRONG = 'X';

  public static final int LPI = 8192;

  /// Where it tells how many it has taken: offset in memory.
  public static final long COUNT = 0xf000;

  private static final long MEMORY = 0x4000_0000L;
  private static final long DISTRIBUTOR = 0x0800_0000L;
  private static final long ITS = 0x0808_0000L;
  private static final long REDISTRIBUTOR = 0x080a_0000L;
  static final long CONSOLE = 0x0900_0000L;

  private static final int PROPERTIES = 0x1_0000;
  private static final int PENDING = 0x2_0000;
  private static final int DEVICES = 0x8_0000;
  private static final int COLLECTIONS = 0x10_0000;
  private static final int COMMANDS = 0x11_0000;
  private static final int TRANSLATIONS = 0x12_0000;
  private static final int END = 0x13_0000;

  private static final int LPI_ID_BITS = 14;
  private static final int EVENT_BITS = 5;
  private static final long VALID = 1L << 63;
  private static final long PAGES_OF_64K = 0x200;
  private static final long PENDING_TABLE_ZERO = 1L << 62;
  private static final int COMMAND_BYTES = 32;
  private static final int REDISTRIBUTOR_BYTES = 0x2_0000;
  static final int SPURIOUS = 1023;
  private static final long PSCI_SYSTEM_OFF = 0x8400_0008L;
  private static final long PSCI_CPU_ON = 0xc400_0003L;

  private static final int MAPD = 0x08;
  private static final int MAPC = 0x09;
  private static final int MAPTI = 0x0a;
  private static final int INV = 0x0c;
  private static final int SYNC = 0x05;

  private LpiPayload() {}

  /// What it does.
  ///
  /// @param deviceId what the guest's ITS knows the sender by
  /// @param rounds how many interrupts
  /// @param edu where the BAR 0 of an edu lies, which then raises them; without it they are asked for
  /// @param processor which takes them: 0, or 1, which processor 0 then switches on
  public record Task(int deviceId, int rounds, OptionalLong edu, int processor) {}

  /// {@return the Image}
  public static byte[] image(Task task) {
    byte[] code = code(task).assemble();
    ByteBuffer b = ByteBuffer.allocate(END).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0, code);
    header(b);
    b.put(PROPERTIES, (byte) 0xa1);
    commands(b, task);
    return b.array();
  }

  static void header(ByteBuffer b) {
    b.putLong(8, 0);
    b.putLong(16, b.capacity());
    b.putLong(24, 0xa);
    b.putInt(56, 0x644d_5241);
  }

  private static void commands(ByteBuffer b, Task task) {
    long device = (long) task.deviceId() << 32;
    // GITS_TYPER.PTA is 0 with KVM: redistributors are named by their processors' numbers.
    command(b, 0, MAPC, 0, VALID | (long) task.processor() << 16);
    command(b, 1, MAPD | device, EVENT_BITS - 1, VALID | MEMORY + TRANSLATIONS);
    command(b, 2, MAPTI | device, (long) LPI << 32, 0);
    command(b, 3, INV | device, 0, 0);
    command(b, 4, SYNC, 0, 0);
  }

  private static void command(ByteBuffer b, int index, long first, long second, long third) {
    int at = COMMANDS + index * COMMAND_BYTES;
    b.putLong(at, first).putLong(at + 8, second).putLong(at + 16, third);
  }

  /// {@return the program, for a test to hold against another assembler}
  static A64 code(Task task) {
    A64 a = new A64();
    begin(a, task.processor());
    a.mov(1, 7).msr(SystemRegister.ICC_SRE_EL1, 1).isb();
    a.mov(1, 0xff).msr(SystemRegister.ICC_PMR_EL1, 1);
    a.mov(1, 1).msr(SystemRegister.ICC_IGRPEN1_EL1, 1).isb();
    // GICD_CTLR: affinity routing, group 1.
    a.mov(2, DISTRIBUTOR).mov(1, 0x12).strW(1, 2, 0);
    // GICR_WAKER, GICR_PROPBASER, GICR_PENDBASER, GICR_CTLR.
    a.mov(2, REDISTRIBUTOR + (long) task.processor() * REDISTRIBUTOR_BYTES).strW(31, 2, 0x14);
    a.mov(1, MEMORY + PROPERTIES | LPI_ID_BITS - 1).strX(1, 2, 0x70);
    a.mov(1, MEMORY + PENDING | PENDING_TABLE_ZERO).strX(1, 2, 0x78);
    a.mov(1, 1).strW(1, 2, 0).dsb();
    // GITS_BASER0 for 2^16 devices of 8 bytes, GITS_BASER1, GITS_CBASER, GITS_CTLR, GITS_CWRITER.
    a.mov(2, ITS);
    a.mov(1, VALID | MEMORY + DEVICES | PAGES_OF_64K | 7).strX(1, 2, 0x100);
    a.mov(1, VALID | MEMORY + COLLECTIONS | PAGES_OF_64K).strX(1, 2, 0x108);
    a.mov(1, VALID | MEMORY + COMMANDS).strX(1, 2, 0x80);
    a.mov(1, 1).strW(1, 2, 0);
    a.mov(1, 5 * COMMAND_BYTES).strX(1, 2, 0x88).dsb();
    a.mov(3, CONSOLE).mov(4, SPURIOUS).mov(5, LPI).mov(6, task.rounds()).mov(7, 0);
    task.edu().ifPresent(bar -> a.mov(8, bar));
    say(a, READY);
    a.label("round");
    if (task.edu().isPresent()) {
      // edu's interrupt raise register.
      a.mov(1, 1).strW(1, 8, 0x60);
    } else {
      say(a, ASK);
    }
    a.label("wait").wfi().mrs(1, SystemRegister.ICC_IAR1_EL1).cmp(1, 4).b(Condition.EQ, "wait");
    a.cmp(1, 5).b(Condition.NE, "wrong").msr(SystemRegister.ICC_EOIR1_EL1, 1).isb();
    if (task.edu().isPresent()) {
      // Its status, acknowledged.
      a.ldrW(1, 8, 0x24).strW(1, 8, 0x64);
    }
    end(a);
    return a;
  }

  /// The jump over the Image's header, and where another processor takes the interrupts, that one's entry and start. Both go on at `taker`.
  static void begin(A64 a, int processor) {
    a.b("start");
    a.b("taker");
    // The Image's header, which is written over these.
    for (int i = 2; i < 16; i++) {
      a.nop();
    }
    a.label("start");
    if (processor > 0) {
      a.mov(0, PSCI_CPU_ON).mov(1, processor).mov(2, MEMORY + 4).mov(3, 0).hvc();
      a.label("idle").wfi().b("idle");
    }
    a.label("taker");
  }

  /// Counts in register 7 up to register 6, back to `round` or off; and what follows `wrong`.
  static void end(A64 a) {
    a.add(7, 7, 1).mov(2, MEMORY + COUNT).strX(7, 2, 0);
    a.cmp(7, 6).b(Condition.NE, "round");
    say(a, DONE);
    a.label("off").mov(0, PSCI_SYSTEM_OFF).hvc().b("off");
    a.label("wrong").mov(1, WRONG).strW(1, 3, 0).b("off");
  }

  static void say(A64 a, char letter) {
    a.mov(1, letter).strW(1, 3, 0);
  }
}
