package dev.doorbell.firmware;

import dev.doorbell.explain.Source;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Bytes of a file with a name for them. Every access is checked; offsets are relative to the file's start.
///
/// `u16`, `u32` and `u64` are little-endian (ACPI); `be32` and `be64` big-endian (device trees).
public final class Blob {
  private static final VarHandle LE16 = view(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LE32 = view(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LE64 = view(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle BE32 = view(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle BE64 = view(long[].class, ByteOrder.BIG_ENDIAN);

  private final String file;
  private final byte[] bytes;
  private final int size;

  private Blob(String file, byte[] bytes, int size) {
    this.file = file;
    this.bytes = bytes;
    this.size = size;
  }

  private static VarHandle view(Class<?> array, ByteOrder order) {
    return MethodHandles.byteArrayViewVarHandle(array, order);
  }

  static Blob of(String file, byte[] bytes) {
    return new Blob(file, bytes, bytes.length);
  }

  /// {@return the same bytes, of which only the first are seen}
  Blob truncated(int toSize) {
    if (toSize < 0 || toSize > size) {
      throw new IllegalArgumentException("cannot show %d bytes of %d".formatted(toSize, size));
    }
    return new Blob(file, bytes, toSize);
  }

  public String file() {
    return file;
  }

  public int size() {
    return size;
  }

  Source source(long at) {
    return Source.at(file, at);
  }

  public int u8(long at) {
    return Byte.toUnsignedInt(bytes[checked(at, 1)]);
  }

  public int u16(long at) {
    return Short.toUnsignedInt((short) LE16.get(bytes, checked(at, 2)));
  }

  public long u32(long at) {
    return Integer.toUnsignedLong((int) LE32.get(bytes, checked(at, 4)));
  }

  public long u64(long at) {
    return (long) LE64.get(bytes, checked(at, 8));
  }

  /// {@return a member of the structure that begins at an offset}
  long get(long at, Structure.Member member) {
    long place = at + member.offset();
    return switch (member.bytes()) {
      case 1 -> u8(place);
      case 2 -> u16(place);
      case 4 -> u32(place);
      case 8 -> u64(place);
      default -> throw new IllegalArgumentException(member + " is no number");
    };
  }

  /// {@return {@link #get} of a member of at most 16 bits}
  int getInt(long at, Structure.Member member) {
    return Math.toIntExact(get(at, member));
  }

  long be32(long at) {
    return Integer.toUnsignedLong((int) BE32.get(bytes, checked(at, 4)));
  }

  long be64(long at) {
    return (long) BE64.get(bytes, checked(at, 8));
  }

  /// {@return some bytes as printable text; what is not printable ASCII is shown as `\xNN`}
  public String text(long at, int count) {
    int from = checked(at, count);
    StringBuilder out = new StringBuilder(count);
    for (int i = 0; i < count; i++) {
      int c = Byte.toUnsignedInt(bytes[from + i]);
      if (c >= 0x20 && c < 0x7f) {
        out.append((char) c);
      } else {
        out.append("\\x%02x".formatted(c));
      }
    }
    return out.toString();
  }

  /// {@return the text up to a NUL byte}
  ///
  /// @throws MalformedException when no NUL comes within `max` bytes
  String zeroTerminated(long at, int max) {
    int from = checked(at, 1);
    int limit = Math.min(size, from + Math.min(max, size));
    for (int i = from; i < limit; i++) {
      if (bytes[i] == 0) {
        return new String(bytes, from, i - from, StandardCharsets.ISO_8859_1);
      }
    }
    throw new MalformedException(
        "text at 0x%x does not end within %d bytes".formatted(at, limit - from), source(at));
  }

  /// {@return all bytes as text of one character each, so that character offsets are file offsets}
  public String latin1() {
    return new String(bytes, 0, size, StandardCharsets.ISO_8859_1);
  }

  /// {@return the bytes themselves, of which the first {@link #size} count: not to be changed, and not to be handed on}
  byte[] unshielded() {
    return bytes;
  }

  byte[] copy(long at, int count) {
    int from = checked(at, count);
    byte[] out = new byte[count];
    System.arraycopy(bytes, from, out, 0, count);
    return out;
  }

  /// {@return the sum of some bytes modulo 256, which ACPI wants to be 0}
  int sum(int from, int count) {
    int start = checked(from, count);
    byte sum = 0;
    for (int i = 0; i < count; i++) {
      sum += bytes[start + i];
    }
    return Byte.toUnsignedInt(sum);
  }

  /// {@return whether the byte sequence EF BF BD occurs: what a text editor puts for bytes that are not UTF-8}
  boolean hasReplacementCharacters() {
    for (int i = 0; i + 2 < size; i++) {
      if (bytes[i] == (byte) 0xef && bytes[i + 1] == (byte) 0xbf && bytes[i + 2] == (byte) 0xbd) {
        return true;
      }
    }
    return false;
  }

  private int checked(long at, int count) {
    if (at < 0 || count < 0 || at > size - (long) count) {
      throw new MalformedException(
          "%d bytes at offset 0x%x lie outside the %d bytes of %s".formatted(count, at, size, file),
          source(Math.max(at, 0)));
    }
    return (int) at;
  }
}
