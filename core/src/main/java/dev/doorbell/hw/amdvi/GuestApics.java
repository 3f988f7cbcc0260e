package dev.doorbell.hw.amdvi;

import dev.doorbell.bus.Frames;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.irq.InterruptPosting;
import dev.doorbell.irq.PostedDescriptor;
import dev.doorbell.irq.PostedInterrupt;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// The guests' processors that entries of one IOMMU post to, and the log that tells which of them got something while they did not run.
///
/// Guarded by the lock of the interrupt tables, which it shares.
///
/// **Source** 48882 revision 3.09, 2.2.5.2 (guest virtual APIC mode), 2.7 (its log).
final class GuestApics implements InterruptPosting {
  private final String id;
  private final PhysicalMemory memory;
  private final Frames frames;
  private final LogReader log;
  private final ReentrantLock lock;
  private final Map<Integer, GuestApic> tagged = new HashMap<>();
  private final Map<GuestApic.Place, GuestApic> posted = new HashMap<>();
  private int nextTag = 1;

  /// @param id of the IOMMU, for messages
  GuestApics(String id, PhysicalMemory memory, Frames frames, LogReader log, ReentrantLock lock) {
    this.id = id;
    this.memory = memory;
    this.frames = frames;
    this.log = log;
    this.lock = lock;
  }

  @Override
  public PostedDescriptor create() {
    return locked(() -> {
      while (tagged.containsKey(nextTag)) {
        nextTag++;
      }
      GuestApic made = new GuestApic(this, nextTag, memory, frames);
      tagged.put(nextTag++, made);
      return made;
    });
  }

  /// After a log that was full every processor with something posted is told of.
  @Override
  public List<PostedDescriptor> waiting() {
    return locked(() -> {
      Set<GuestApic> out = new LinkedHashSet<>();
      boolean lost =
          log.drain(at -> {
            GuestApic told = tagged.get(GuestLogLayout.TAG.getInt(memory.read64(at)));
            // A record may be older than the end of its descriptor.
            if (told != null) {
              out.add(told);
            }
          });
      if (lost) {
        tagged.values().stream().filter(GuestApic::hasPosted).forEach(out::add);
      }
      return List.copyOf(out);
    });
  }

  /// {@return the processor whose descriptor lies at an address}
  GuestApic at(PostedInterrupt to) {
    for (GuestApic a : tagged.values()) {
      if (a.address() == to.descriptor()) {
        return a;
      }
    }
    throw new IllegalArgumentException("%s has no descriptor for %s".formatted(id, to));
  }

  /// Remembers that an entry posts to a processor.
  void posts(GuestApic.Place place, GuestApic to, int vector) {
    ends(place);
    posted.put(place, to);
    to.posts(place, vector);
  }

  /// Remembers that an entry posts to nobody.
  void ends(GuestApic.Place place) {
    GuestApic before = posted.remove(place);
    if (before != null) {
      before.ends(place);
    }
  }

  boolean isEmpty() {
    return tagged.isEmpty();
  }

  /// {@return what comes of some work with the interrupt tables' lock held}
  <T> T locked(Supplier<T> work) {
    lock.lock();
    try {
      return work.get();
    } finally {
      lock.unlock();
    }
  }

  void forget(int tag) {
    tagged.remove(tag);
  }
}
