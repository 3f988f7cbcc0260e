package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.RawSmmu;
import dev.doorbell.testkit.SeededRandom;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "design 4, 5: streams, their substreams and their guests' stage 1, against a reference")
class SmmuStreamsPropertyTest {
  private static final long PAGE = 0x1000;
  private static final long IOVA = 0x10_0000;
  private static final int PAGES = 3;
  private static final List<Integer> SUBSTREAMS = List.of(-1, 1, GuestMemory.SUBSTREAM, 70);

  @Test
  @DisplayName(
      "after each step, and whatever fails, each access reaches what was given to its stream and substream, and nothing else; the walker says the same")
  void always() {
    Property.check("SMMUv3 streams, substreams and guests", 60, dice -> new History(dice).run());
  }

  /// Tables, and what they should say: pages by number.
  private record Space(AddressSpace tables, Map<Integer, Long> pages) {}

  /// What a stream should do.
  ///
  /// @param whole 0 blocked, 1 bypassed, else attached
  private record Led(
      int whole, Optional<Space> space, Map<Integer, Space> substreams, boolean nested) {
    static final Led BLOCKED = new Led(0, Optional.empty(), Map.of(), false);
    static final Led PASSING = new Led(1, Optional.empty(), Map.of(), false);

    Led with(int substream, Space space) {
      Map<Integer, Space> then = new HashMap<>(substreams);
      then.put(substream, space);
      return new Led(whole, this.space, then, nested);
    }

    Led without(int substream) {
      Map<Integer, Space> then = new HashMap<>(substreams);
      then.remove(substream);
      return new Led(whole, space, then, nested);
    }
  }

  private static final class History {
    private final SeededRandom dice;
    private final DriverBench bench = new DriverBench();
    private final SmmuModel model =
        bench.model(
            SmmuFeatures.qemu10()
                .withIdr1(SmmuRegisters.IDR1_SSIDSIZE, 8)
                .withIdr0(SmmuRegisters.IDR0_CD2L, 1));
    private final SmmuDriver smmu = bench.open(model);
    private final List<Space> first = new ArrayList<>();
    private final Space second =
        new Space(smmu.createAddressSpace(Granule.K4, Stage.STAGE2), new HashMap<>());
    private final GuestMemory guest = new GuestMemory(bench.memory, GuestMemory.BASE);

    /// Which page of stage 2 the guest's tables lead a page to: those of CD 0, and those of the substream.
    private final List<Map<Integer, Integer>> guests = List.of(new HashMap<>(), new HashMap<>());

    private final Led[] streams = {Led.BLOCKED, Led.BLOCKED, Led.BLOCKED};
    private long next = 0x8000_0000L;
    private boolean busy;

    History(SeededRandom dice) {
      this.dice = dice;
      first.add(new Space(smmu.createAddressSpace(Granule.K4), new HashMap<>()));
      first.add(new Space(smmu.createAddressSpace(Granule.K16), new HashMap<>()));
      guest.mapInto(second.tables);
    }

    void run() {
      for (int i = 0; i < 40; i++) {
        switch (dice.below(8)) {
          case 0, 1 -> changePage(dice.below(3) == 0 ? second : first.get(dice.below(2)));
          case 2 -> changeGuest(dice.below(2));
          default -> lead(dice.below(streams.length));
        }
        check();
      }
      for (int stream = 0; stream < streams.length; stream++) {
        smmu.block(stream);
      }
      first.forEach(s -> s.tables.close());
      second.tables.close();
      smmu.close();
      assertEquals(0, bench.frames.bytesInUse());
    }

    private void lead(int stream) {
      Led now = streams[stream];
      int substream = SUBSTREAMS.get(1 + dice.below(SUBSTREAMS.size() - 1));
      Space space = first.get(dice.below(first.size()));
      boolean onStage2 = now.space.filter(s -> s == second).isPresent();
      switch (dice.below(6)) {
        case 0 -> attempt(stream, Led.BLOCKED, () -> smmu.block(stream));
        case 1 -> attempt(stream, Led.PASSING, () -> smmu.bypass(stream));
        case 2 -> {
          Space whole = dice.below(3) == 0 ? space : second;
          Led then = new Led(2, Optional.of(whole), Map.of(), false);
          attempt(stream, then, () -> smmu.attach(stream, whole.tables));
        }
        case 3 -> {
          if (onStage2) {
            boolean nested = dice.below(4) != 0;
            SmmuGuestEntry entry =
                nested ? guest.entry() : new SmmuGuestEntry(List.of(RawSmmu.ste(4)[0], 0L));
            Led then = new Led(2, now.space, Map.of(), nested);
            attempt(stream, then, () -> smmu.nest(stream, entry));
          }
        }
        default -> {
          if (!onStage2) {
            boolean less = dice.below(3) == 0;
            Led then = less ? now.without(substream) : now.with(substream, space);
            attempt(
                stream,
                then,
                less
                    ? () -> smmu.detach(stream, substream)
                    : () -> smmu.attach(stream, substream, space.tables));
          }
        }
      }
    }

    /// Changes a stream, often with something that fails; looks at all accesses between any two writes.
    private void attempt(int stream, Led then, Runnable change) {
      int failing = dice.below(3) == 0 ? dice.below(24) : Integer.MAX_VALUE;
      if (dice.below(12) == 0) {
        bench.frames.limit(bench.frames.bytesInUse());
      }
      int[] writes = new int[1];
      bench.memory.onWrite((pa, before, after) -> {
        if (!busy) {
          between(stream, then);
          if (writes[0]++ == failing) {
            throw new BusErrorException("write", pa, Long.BYTES);
          }
        }
      });
      try {
        change.run();
        streams[stream] = then;
      } catch (BusErrorException | OutOfFramesException _) {
        assertTrue(failing != Integer.MAX_VALUE || bench.frames.bytesInUse() > 0);
      } finally {
        bench.memory.onWrite((pa, before, after) -> {});
        bench.frames.limit(Long.MAX_VALUE);
      }
    }

    /// The stream that changes does what it did, or what it will do, or ends; others notice nothing.
    private void between(int changing, Led then) {
      busy = true;
      for (int stream = 0; stream < streams.length; stream++) {
        for (int substream : SUBSTREAMS) {
          long iova = IOVA + dice.below(PAGES) * PAGE;
          long found = model.translate(stream, substream, iova, Translator.WRITE);
          long was = expected(streams[stream], substream, iova);
          if (stream == changing) {
            long will = expected(then, substream, iova);
            assertTrue(
                found == Translator.FAULT || found == was || found == will,
                () -> "0x%x, which was 0x%x and will be 0x%x".formatted(found, was, will));
          } else {
            assertEquals(was, found, "stream " + stream + " has nothing to do with it");
          }
        }
      }
      busy = false;
    }

    private void changePage(Space space) {
      int granule = (int) space.tables.granule().bytes();
      int page = dice.below(PAGES);
      Iova at = new Iova(IOVA + (long) page * granule);
      if (space.pages.remove(page) != null) {
        space.tables.unmap(at, granule);
      } else {
        next += 0x1_0000;
        space.tables.map(at, new Pa(next), granule, Protection.READ_WRITE);
        space.pages.put(page, next);
      }
    }

    /// The guest maps or unmaps a page, and says so where one of its streams might have it.
    private void changeGuest(int which) {
      int page = dice.below(PAGES);
      long at = IOVA + page * PAGE;
      if (guests.get(which).remove(page) == null) {
        int to = dice.below(PAGES);
        guest.table(which).map(at, IOVA + to * PAGE, 3, RawSmmu.S1_RW);
        guests.get(which).put(page, to);
        return;
      }
      guest.table(which).unmap(at, 3);
      int asid = (which == 0 ? 0 : GuestMemory.SUBSTREAM) + 1;
      long[] words = RawSmmu.tlbi(0x12, dice.below(256), asid, at, dice.below(2) == 0);
      for (int stream = 0; stream < streams.length; stream++) {
        if (streams[stream].space.filter(s -> s == second).isPresent()) {
          smmu.guestInvalidates(stream, List.of(new SmmuGuestCommand(List.of(words[0], words[1]))));
          return;
        }
      }
    }

    private long expected(Led led, int substream, long iova) {
      if (led.nested) {
        boolean own = substream == GuestMemory.SUBSTREAM;
        Integer ipa =
            substream == -1 || own
                ? guests.get(own ? 1 : 0).get((int) ((iova - IOVA) / PAGE))
                : null;
        return ipa == null ? Translator.FAULT : mapped(second, IOVA + ipa * PAGE + iova % PAGE);
      }
      if (substream != -1) {
        Space space = led.substreams.get(substream);
        return space == null ? Translator.FAULT : mapped(space, iova);
      }
      return led.space
          .map(space -> mapped(space, iova))
          .orElse(led.whole == 1 ? iova : Translator.FAULT);
    }

    private static long mapped(Space space, long at) {
      long granule = space.tables.granule().bytes();
      Long page = space.pages.get((int) ((at - IOVA) / granule));
      return page == null ? Translator.FAULT : page + (at - IOVA) % granule;
    }

    private void check() {
      SmmuWalker walker = walker();
      for (int stream = 0; stream < streams.length; stream++) {
        for (int substream : SUBSTREAMS) {
          for (int page = 0; page < PAGES; page++) {
            long iova = IOVA + page * PAGE;
            long expected = expected(streams[stream], substream, iova);
            assertEquals(
                expected,
                model.translate(stream, substream, iova, Translator.WRITE),
                "stream %d, substream %d, page %d".formatted(stream, substream, page));
            OptionalInt who = substream < 0 ? OptionalInt.empty() : OptionalInt.of(substream);
            Optional<Pa> told = walker.walk(stream, who, new Iova(iova), true).output();
            assertEquals(
                expected == Translator.FAULT ? Optional.empty() : Optional.of(new Pa(expected)),
                told);
          }
        }
      }
    }

    private SmmuWalker walker() {
      Map<String, Long> registers = new HashMap<>();
      for (Register r : SmmuRegisters.MAP.registers()) {
        registers.put(
            r.name().substring("SMMU_".length()), model.read(r.offset(), r.bytes()).value());
      }
      MemoryView memory =
          pa -> {
            try {
              return OptionalLong.of(bench.memory.read64(pa));
            } catch (BusErrorException _) {
              return OptionalLong.empty();
            }
          };
      return new SmmuWalker("smmu", registers, memory);
    }
  }
}
