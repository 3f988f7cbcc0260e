package dev.doorbell.firmware;

import java.util.ArrayList;
import java.util.List;

/// The layout of one structure of a firmware table, its members declared one after another as the specification prints them: offsets follow
/// from that, and every byte up to the end is declared.
///
/// Declaring is not thread-safe; a structure that is declared in a static initialiser is not changed any more.
final class Structure {
  /// A little-endian number, or a run of bytes.
  ///
  /// @param name the specification's own spelling
  /// @param offset bytes from the start of what the structure's offsets count from
  /// @param bytes size
  record Member(String name, int offset, int bytes) {}

  private final String name;
  private final List<Member> members = new ArrayList<>();
  private final int start;
  private int size;

  private Structure(String name, int start) {
    this.name = name;
    this.start = start;
    this.size = start;
  }

  static Structure named(String name) {
    return new Structure(name, 0);
  }

  /// {@return a structure that follows another one, and whose offsets count from that one's start}
  static Structure after(Structure header, String name) {
    return new Structure(name, header.size);
  }

  Member u8(String member) {
    return add(member, 1);
  }

  Member u16(String member) {
    return add(member, 2);
  }

  Member u32(String member) {
    return add(member, 4);
  }

  Member u64(String member) {
    return add(member, 8);
  }

  /// Bytes without a meaning, or without one here.
  Structure skip(String member, int bytes) {
    add(member, bytes);
    return this;
  }

  private Member add(String member, int bytes) {
    Member m = new Member(member, size, bytes);
    members.add(m);
    size += bytes;
    return m;
  }

  String name() {
    return name;
  }

  /// {@return members in the order of their offsets}
  List<Member> members() {
    return List.copyOf(members);
  }

  /// {@return where the first member begins; 0 but for one that follows another}
  int start() {
    return start;
  }

  /// {@return the offset after the last member}
  int size() {
    return size;
  }
}
