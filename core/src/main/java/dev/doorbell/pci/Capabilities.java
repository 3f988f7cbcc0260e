package dev.doorbell.pci;

import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// The capabilities of a function, found by walking both lists. A walk visits each offset at most once, whatever the bytes say.
/// Immutable; the space is read only while it is made.
///
/// **Source**: PCI Express Base 6.0, 7.5.1.1.11 and 7.6.
public final class Capabilities {
  private final List<Capability> all;
  private final List<Oddity> oddities;
  private final String conventionalUnseen;
  private final String extendedUnseen;

  private Capabilities(Walk conventional, Walk extended) {
    List<Capability> found = new ArrayList<>(conventional.found);
    found.addAll(extended.found);
    List<Oddity> odd = new ArrayList<>(conventional.oddities);
    odd.addAll(extended.oddities);
    this.all = List.copyOf(found);
    this.oddities = List.copyOf(odd);
    this.conventionalUnseen = conventional.unseen;
    this.extendedUnseen = extended.unseen;
  }

  /// {@return the capabilities of a function}
  ///
  /// @param where the file or device that the space belongs to, for the sources of oddities
  public static Capabilities of(ConfigSpace config, String where) {
    Walk conventional = new Walk(config, where);
    conventional.conventional();
    Walk extended = new Walk(config, where);
    extended.extended(conventional);
    return new Capabilities(conventional, extended);
  }

  /// {@return every capability, in the order of the lists}
  public List<Capability> all() {
    return all;
  }

  /// {@return what is wrong with the lists}
  public List<Oddity> oddities() {
    return oddities;
  }

  /// {@return the first capability of a kind in conventional space}
  public Seen<Capability> find(int id) {
    return find(id, false, conventionalUnseen);
  }

  /// {@return the first capability of a kind in extended space}
  public Seen<Capability> findExtended(int id) {
    return find(id, true, extendedUnseen);
  }

  private Seen<Capability> find(int id, boolean extended, String unseen) {
    for (Capability c : all) {
      if (c.id() == id && c.extended() == extended) {
        return new Seen.There<>(c);
      }
    }
    return unseen.isEmpty() ? new Seen.NotThere<>() : new Seen.NotVisible<>(unseen);
  }

  private static final class Walk {
    private final ConfigSpace config;
    private final String where;
    private final List<Capability> found = new ArrayList<>();
    private final List<Oddity> oddities = new ArrayList<>();
    private String unseen = "";

    Walk(ConfigSpace config, String where) {
      this.config = config;
      this.where = where;
    }

    void conventional() {
      ConfigAccess header = ConfigAccess.header(config);
      if (!header.sees(ConfigHeaderLayout.HEADER_TYPE)) {
        unseen = "only %d bytes of the header are there".formatted(config.size());
        return;
      }
      if (header.read(ConfigHeaderLayout.VENDOR) == 0xffff
          && header.read(ConfigHeaderLayout.COMMAND) == 0xffff) {
        odd(0, "the header reads as all ones: the function did not answer");
        unseen = "the function did not answer";
        return;
      }
      if (!header.isSet(ConfigHeaderLayout.STATUS, ConfigHeaderLayout.CAPABILITIES_LIST)) {
        return;
      }
      int at = firstPointer(header);
      BitSet visited = new BitSet();
      while (at != 0 && unseen.isEmpty()) {
        at = conventionalAt(at, visited);
      }
    }

    private int firstPointer(ConfigAccess header) {
      boolean cardBus =
          header.get(ConfigHeaderLayout.HEADER_TYPE, ConfigHeaderLayout.HEADER_LAYOUT) == 2;
      int offset = cardBus ? 0x14 : (int) ConfigHeaderLayout.CAP_POINTER.offset();
      if (offset >= config.size()) {
        unseen =
            "the capabilities pointer at 0x%x is outside the %d bytes that are there"
                .formatted(offset, config.size());
        return 0;
      }
      return (int) ConfigHeaderLayout.CAPABILITY_POINTER.get(config.read8(offset));
    }

    private int conventionalAt(int at, BitSet visited) {
      if (at < CapabilityLayout.FIRST) {
        odd(at, "a capability pointer leads to 0x%x, into the header".formatted(at));
        return 0;
      }
      if (visited.get(at)) {
        odd(at, "the capability list loops back to 0x%x".formatted(at));
        return 0;
      }
      visited.set(at);
      if (at + CapabilityLayout.HEADER.bytes() > config.size()) {
        unseen =
            "the list goes on at 0x%x, outside the %d bytes that are there"
                .formatted(at, config.size());
        return 0;
      }
      long header = config.read16(at);
      int id = CapabilityLayout.ID.getInt(header);
      if (id == 0xff) {
        odd(at, "the capability at 0x%x has id 0xff: nothing answers there".formatted(at));
        return 0;
      }
      found.add(new Capability(id, false, 0, at));
      int next = CapabilityLayout.NEXT.getInt(header) >>> CapabilityLayout.NEXT.lsb();
      if ((next & 3) != 0) {
        odd(
            at + 1,
            "the pointer 0x%x of the capability at 0x%x is not a multiple of 4"
                .formatted(next, at));
      }
      return next & ~3;
    }

    void extended(Walk conventional) {
      boolean express = conventional.has(CapabilityLayout.PCI_EXPRESS);
      boolean pcix = conventional.has(CapabilityLayout.PCIX);
      if (!express && !pcix) {
        unseen = conventional.unseen;
        mirrors();
        return;
      }
      if (config.size() < CapabilityLayout.CONVENTIONAL_BYTES + Integer.BYTES) {
        if (express) {
          unseen =
              "extended configuration space is not among the %d bytes that are there"
                  .formatted(config.size());
        }
        return;
      }
      int first = config.read32(CapabilityLayout.CONVENTIONAL_BYTES);
      if (first == 0 || first == -1 || mirrors()) {
        return;
      }
      int at = CapabilityLayout.CONVENTIONAL_BYTES;
      BitSet visited = new BitSet();
      while (at != 0 && unseen.isEmpty()) {
        at = extendedAt(at, visited);
      }
    }

    /// Some host bridges decode only 8 address bits: what looks like extended space is the header again and again.
    private boolean mirrors() {
      if (config.size() < 2 * CapabilityLayout.CONVENTIONAL_BYTES) {
        return false;
      }
      int header = config.read32(0);
      for (int at = CapabilityLayout.CONVENTIONAL_BYTES;
          at + Integer.BYTES <= config.size();
          at += CapabilityLayout.CONVENTIONAL_BYTES) {
        if (config.read32(at) != header) {
          return false;
        }
      }
      odd(
          CapabilityLayout.CONVENTIONAL_BYTES,
          "extended space repeats the first 256 bytes: there is none");
      return true;
    }

    private int extendedAt(int at, BitSet visited) {
      if (at < CapabilityLayout.CONVENTIONAL_BYTES) {
        odd(at, "an extended capability points to 0x%x, below extended space".formatted(at));
        return 0;
      }
      if (visited.get(at)) {
        odd(at, "the extended capability list loops back to 0x%x".formatted(at));
        return 0;
      }
      visited.set(at);
      if (at + CapabilityLayout.EXTENDED_HEADER.bytes() > config.size()) {
        unseen =
            "the extended list goes on at 0x%x, outside the %d bytes that are there"
                .formatted(at, config.size());
        return 0;
      }
      long header = Integer.toUnsignedLong(config.read32(at));
      if (header == 0xffff_ffffL) {
        odd(at, "the extended capability at 0x%x reads as all ones".formatted(at));
        return 0;
      }
      int id = CapabilityLayout.EXTENDED_ID.getInt(header);
      if (header == 0) {
        odd(at, "the extended capability list leads to a header of zero at 0x%x".formatted(at));
        return 0;
      }
      found.add(new Capability(id, true, CapabilityLayout.EXTENDED_VERSION.getInt(header), at));
      int next = CapabilityLayout.EXTENDED_NEXT.getInt(header);
      if ((next & 3) != 0) {
        odd(
            at,
            "the next offset 0x%x of the extended capability at 0x%x is not a multiple of 4"
                .formatted(next, at));
      }
      return next & ~3;
    }

    private boolean has(int id) {
      return found.stream().anyMatch(c -> c.id() == id);
    }

    private void odd(int offset, String message) {
      oddities.add(new Oddity(message, Source.at(where, offset)));
    }
  }
}
