package dev.doorbell.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A structure of the kernel's interface, declared once, member after member as the header has them. Members lie at their natural alignment
/// unless the header packs them; {@link #end} compares the whole size with what the declaration says.
///
/// Declaring is not thread-safe; a finished structure is immutable. Public for the rooms inside this one.
public final class Struct {
  /// One member.
  ///
  /// @param name as the header spells it; of a member of a union or an inner structure with its path, such as `u.msi.data`
  /// @param bytes its size; 0 for an array at the end whose length is not fixed
  public record Member(String name, int offset, int bytes) {
    /// {@return its value in a structure, zero-extended}
    public long get(MemorySegment in) {
      return get(in, 0);
    }

    /// {@return its value in a structure that begins at some offset}
    long get(MemorySegment in, long base) {
      long at = base + offset;
      return switch (bytes) {
        case Byte.BYTES -> Byte.toUnsignedLong(in.get(JAVA_BYTE, at));
        case Short.BYTES -> Short.toUnsignedLong(in.get(JAVA_SHORT_UNALIGNED, at));
        case Integer.BYTES -> Integer.toUnsignedLong(in.get(JAVA_INT_UNALIGNED, at));
        case Long.BYTES -> in.get(JAVA_LONG_UNALIGNED, at);
        default -> throw new IllegalStateException("member " + name + " is no number");
      };
    }

    public int getInt(MemorySegment in) {
      return (int) get(in);
    }

    /// Stores the low bits of a value.
    public void set(MemorySegment in, long value) {
      set(in, 0, value);
    }

    /// Stores the low bits of a value in a structure that begins at some offset.
    void set(MemorySegment in, long base, long value) {
      long at = base + offset;
      switch (bytes) {
        case Byte.BYTES -> in.set(JAVA_BYTE, at, (byte) value);
        case Short.BYTES -> in.set(JAVA_SHORT_UNALIGNED, at, (short) value);
        case Integer.BYTES -> in.set(JAVA_INT_UNALIGNED, at, (int) value);
        case Long.BYTES -> in.set(JAVA_LONG_UNALIGNED, at, value);
        default -> throw new IllegalStateException("member " + name + " is no number");
      }
    }
  }

  private final String name;
  private final boolean packed;
  private final List<Member> members = new ArrayList<>();
  private int at;
  private int alignment = 1;
  private int bytes = -1;

  private Struct(String name, boolean packed) {
    this.name = name;
    this.packed = packed;
  }

  /// {@return an empty structure}
  ///
  /// @param name as C writes the type, such as `struct pollfd`
  public static Struct of(String name) {
    return new Struct(name, false);
  }

  /// {@return an empty structure whose members follow one another without gaps}
  public static Struct packed(String name) {
    return new Struct(name, true);
  }

  public Member u8(String member) {
    return add(member, Byte.BYTES, Byte.BYTES);
  }

  public Member u16(String member) {
    return add(member, Short.BYTES, Short.BYTES);
  }

  public Member u32(String member) {
    return add(member, Integer.BYTES, Integer.BYTES);
  }

  public Member u64(String member) {
    return add(member, Long.BYTES, Long.BYTES);
  }

  /// {@return an array or an inner structure whose content is declared elsewhere}
  public Member block(String member, int size, int aligned) {
    return add(member, size, aligned);
  }

  /// {@return an array at the end, as long as there is room}
  public Member rest(String member, int aligned) {
    return add(member, 0, aligned);
  }

  /// {@return a member that lies where another does: of a union}
  ///
  /// @param further bytes from the other one's start
  public Member over(Member other, int further, String member, int size) {
    Member m = new Member(member, other.offset + further, size);
    members.add(m);
    return m;
  }

  /// Ends the declaration.
  ///
  /// @param size what `sizeof` says
  /// @throws IllegalStateException when the members do not make this size
  public Struct end(int size) {
    int whole = packed ? at : (at + alignment - 1) / alignment * alignment;
    if (whole != size) {
      throw new IllegalStateException(
          "%s is declared with %d bytes and its members make %d".formatted(name, size, whole));
    }
    bytes = size;
    return this;
  }

  public String name() {
    return name;
  }

  public int bytes() {
    return bytes;
  }

  public List<Member> members() {
    return List.copyOf(members);
  }

  /// {@return a zeroed structure}
  public MemorySegment allocate(Arena arena) {
    return arena.allocate(bytes, Long.BYTES);
  }

  /// {@return a zeroed structure with room after it}
  public MemorySegment allocate(Arena arena, long more) {
    return arena.allocate(bytes + more, Long.BYTES);
  }

  private Member add(String member, int size, int aligned) {
    int align = packed ? 1 : aligned;
    at = (at + align - 1) / align * align;
    alignment = Math.max(alignment, align);
    Member m = new Member(member, at, size);
    members.add(m);
    at += size;
    return m;
  }
}
