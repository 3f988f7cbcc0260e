package dev.doorbell.vmm.payload;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The few A64 instructions that the payload is made of, by their names. Registers are numbers, 31 is the zero register. Each instruction keeps
/// its text as well, as the GNU assembler reads it, so that a test can hold the two against each other.
///
/// **Source**: Arm DDI 0487 (Arm Architecture Reference Manual for A-profile), chapters C3, C4 and C6
public final class A64 {
  /// A system register, by the numbers of its name `S<op0>_<op1>_C<n>_C<m>_<op2>`.
  public enum SystemRegister {
    ICC_PMR_EL1(3, 0, 4, 6, 0),
    ICC_IAR1_EL1(3, 0, 12, 12, 0),
    ICC_EOIR1_EL1(3, 0, 12, 12, 1),
    ICC_SRE_EL1(3, 0, 12, 12, 5),
    ICC_IGRPEN1_EL1(3, 0, 12, 12, 7);

    private final int bits;
    private final String text;

    SystemRegister(int op0, int op1, int n, int m, int op2) {
      bits = (op0 - 2) << 19 | op1 << 16 | n << 12 | m << 8 | op2 << 5;
      text = "S%d_%d_C%d_C%d_%d".formatted(op0, op1, n, m, op2);
    }
  }

  /// A condition of `b.<cond>`, by its number.
  public enum Condition {
    EQ,
    NE
  }

  private record Jump(int at, String label, int opcode, int shift, int width) {}

  private final List<Integer> words = new ArrayList<>();
  private final List<String> texts = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();
  private final List<Jump> jumps = new ArrayList<>();

  private A64 emit(int word, String text) {
    words.add(word);
    texts.add(text);
    return this;
  }

  /// Names the next instruction.
  public A64 label(String name) {
    labels.put(name, words.size());
    texts.add(name + ":");
    return this;
  }

  /// Loads a number of 64 bits: `movz` and as many `movk` as it has other halfwords.
  public A64 mov(int register, long value) {
    emit(
        0xd280_0000 | half(value, 0) << 5 | register,
        "movz x%d, #0x%x".formatted(register, half(value, 0)));
    for (int hw = 1; hw < 4; hw++) {
      if (half(value, hw) != 0) {
        emit(
            0xf280_0000 | hw << 21 | half(value, hw) << 5 | register,
            "movk x%d, #0x%x, lsl #%d".formatted(register, half(value, hw), hw * 16));
      }
    }
    return this;
  }

  private static int half(long value, int hw) {
    return (int) (value >>> hw * 16) & 0xffff;
  }

  /// Stores 32 bits.
  public A64 strW(int from, int base, int offset) {
    return emit(
        0xb900_0000 | offset / 4 << 10 | base << 5 | from,
        "str %s, [x%d, #%d]".formatted(from == 31 ? "wzr" : "w" + from, base, offset));
  }

  /// Stores 64 bits.
  public A64 strX(int from, int base, int offset) {
    return emit(
        0xf900_0000 | offset / 8 << 10 | base << 5 | from,
        "str x%d, [x%d, #%d]".formatted(from, base, offset));
  }

  /// Loads 32 bits.
  public A64 ldrW(int to, int base, int offset) {
    return emit(
        0xb940_0000 | offset / 4 << 10 | base << 5 | to,
        "ldr w%d, [x%d, #%d]".formatted(to, base, offset));
  }

  public A64 msr(SystemRegister to, int from) {
    return emit(0xd510_0000 | to.bits | from, "msr %s, x%d".formatted(to.text, from));
  }

  public A64 mrs(int to, SystemRegister from) {
    return emit(0xd530_0000 | from.bits | to, "mrs x%d, %s".formatted(to, from.text));
  }

  /// Adds a number of up to 12 bits.
  public A64 add(int to, int register, int number) {
    return emit(
        0x9100_0000 | number << 10 | register << 5 | to,
        "add x%d, x%d, #%d".formatted(to, register, number));
  }

  public A64 cmp(int a, int b) {
    return emit(0xeb00_001f | b << 16 | a << 5, "cmp x%d, x%d".formatted(a, b));
  }

  public A64 b(String label) {
    jumps.add(new Jump(words.size(), label, 0x1400_0000, 0, 26));
    return emit(0, "b " + label);
  }

  public A64 b(Condition condition, String label) {
    jumps.add(new Jump(words.size(), label, 0x5400_0000 | condition.ordinal(), 5, 19));
    return emit(0, "b.%s %s".formatted(condition.name().toLowerCase(Locale.ROOT), label));
  }

  public A64 wfi() {
    return emit(0xd503_207f, "wfi");
  }

  public A64 isb() {
    return emit(0xd503_3fdf, "isb");
  }

  public A64 dsb() {
    return emit(0xd503_3f9f, "dsb sy");
  }

  public A64 hvc() {
    return emit(0xd400_0002, "hvc #0");
  }

  public A64 nop() {
    return emit(0xd503_201f, "nop");
  }

  /// {@return the instructions, labels resolved}
  public byte[] assemble() {
    int[] out = words.stream().mapToInt(w -> w).toArray();
    for (Jump j : jumps) {
      int distance = labels.get(j.label()) - j.at();
      out[j.at()] = j.opcode() | (distance & (1 << j.width()) - 1) << j.shift();
    }
    ByteBuffer b = ByteBuffer.allocate(out.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int w : out) {
      b.putInt(w);
    }
    return b.array();
  }

  /// {@return the same as text}
  public String text() {
    return String.join("\n", texts) + "\n";
  }
}
