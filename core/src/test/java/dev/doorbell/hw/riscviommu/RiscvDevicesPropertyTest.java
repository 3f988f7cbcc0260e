package dev.doorbell.hw.riscviommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.riscviommu.RiscvIommuGuest.Files;
import dev.doorbell.hw.riscviommu.RiscvIommuGuest.Resident;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "design 4, 5: devices, their processes, their guests' first stage and interrupt files, against a reference")
class RiscvDevicesPropertyTest {
  private static final long PAGE = 0x1000;
  private static final long IOVA = 0x10_0000;
  private static final int PAGES = 3;

  /// Where the guest has two interrupt files: just behind its pages.
  private static final long FILES = IOVA + 4 * PAGE;

  private static final List<Integer> PROCESSES = List.of(-1, 1, GuestTables.PROCESS, 70_000);

  @Test
  @DisplayName(
      "after each step, and whatever fails, each access reaches what was given to its device and process, and nothing else; the walker says the same")
  void always() {
    Property.check(
        "RISC-V devices, processes, guests and files", 60, dice -> new History(dice).run());
  }

  /// Tables, and what they should say: pages by number.
  private record Space(AddressSpace tables, Map<Integer, Long> pages) {}

  /// How a guest has its first stage.
  private enum Nesting {
    NONE,
    ONE,
    PROCESSES
  }

  /// What a device should do.
  ///
  /// @param whole 0 blocked, 1 passing, else attached
  private record Led(
      int whole, Optional<Space> space, Map<Integer, Space> processes, Nesting nesting) {
    static final Led BLOCKED = new Led(0, Optional.empty(), Map.of(), Nesting.NONE);
    static final Led PASSING = new Led(1, Optional.empty(), Map.of(), Nesting.NONE);

    Led with(int process, Space space) {
      Map<Integer, Space> then = new HashMap<>(processes);
      then.put(process, space);
      return new Led(whole, this.space, then, nesting);
    }

    Led without(int process) {
      Map<Integer, Space> then = new HashMap<>(processes);
      then.remove(process);
      return new Led(whole, space, then, nesting);
    }
  }

  private static final class History {
    private final SeededRandom dice;
    private final RiscvBench bench = new RiscvBench();
    private final RiscvIommuDriver iommu = bench.iommu;
    private final List<Space> first = new ArrayList<>();
    private final RiscvIommuGuest host = iommu.createGuest(new Files(new Iova(FILES), 1));
    private final Space second = new Space(host.memory(), new HashMap<>());

    /// Where messages for a file go: an address, or in memory, or they fault.
    private final long[] files = {Translator.FAULT, Translator.FAULT};

    private final GuestTables guest = new GuestTables(bench.memory, GuestTables.BASE);

    /// Which guest physical page the guest's tables lead a page to: those of process 0, and those of the other one.
    private final List<Map<Integer, Long>> guests = List.of(new HashMap<>(), new HashMap<>());

    private final Led[] devices = {Led.BLOCKED, Led.BLOCKED, Led.BLOCKED};
    private long next = 0x9_0000_0000L;
    private boolean busy;

    History(SeededRandom dice) {
      this.dice = dice;
      first.add(new Space(iommu.createAddressSpace(Granule.K4), new HashMap<>()));
      first.add(new Space(iommu.createAddressSpace(Granule.K4), new HashMap<>()));
      guest.mapInto(second.tables);
    }

    void run() {
      for (int i = 0; i < 40; i++) {
        switch (dice.below(9)) {
          case 0, 1 -> changePage(dice.below(3) == 0 ? second : first.get(dice.below(2)));
          case 2 -> changeGuest(dice.below(2));
          case 3 -> changeFile(dice.below(2));
          default -> lead(dice.below(devices.length));
        }
        check();
      }
      for (int device = 0; device < devices.length; device++) {
        iommu.block(device);
      }
      first.forEach(s -> s.tables.close());
      second.tables.close();
      iommu.close();
      assertEquals(0, bench.frames.bytesInUse());
    }

    private void lead(int device) {
      Led now = devices[device];
      int process = PROCESSES.get(1 + dice.below(PROCESSES.size() - 1));
      Space space = first.get(dice.below(first.size()));
      boolean onSecond = now.space.filter(s -> s == second).isPresent();
      switch (dice.below(6)) {
        case 0 -> attempt(device, Led.BLOCKED, () -> iommu.block(device));
        case 1 -> attempt(device, Led.PASSING, () -> iommu.bypass(device));
        case 2 -> {
          Space whole = dice.below(3) == 0 ? space : second;
          Led then = new Led(2, Optional.of(whole), Map.of(), Nesting.NONE);
          attempt(device, then, () -> iommu.attach(device, whole.tables));
        }
        case 3 -> {
          if (onSecond) {
            Nesting nesting = Nesting.values()[dice.below(3)];
            RiscvIommuGuestContext context =
                switch (nesting) {
                  case NONE -> GuestTables.bare();
                  case ONE -> guest.one(0);
                  case PROCESSES -> guest.processes();
                };
            Led then = new Led(2, now.space, Map.of(), nesting);
            attempt(device, then, () -> iommu.nest(device, context));
          }
        }
        default -> {
          if (!onSecond) {
            boolean less = dice.below(3) == 0;
            Led then = less ? now.without(process) : now.with(process, space);
            attempt(
                device,
                then,
                less
                    ? () -> iommu.detach(device, process)
                    : () -> iommu.attach(device, process, space.tables));
          }
        }
      }
    }

    /// Changes a device, often with something that fails; looks at all accesses between any two writes.
    private void attempt(int device, Led then, Runnable change) {
      if (dice.below(12) == 0) {
        bench.frames.limit(bench.frames.bytesInUse());
      }
      if (succeeds(change, () -> between(device, then))) {
        devices[device] = then;
      }
    }

    private boolean succeeds(Runnable change, Runnable look) {
      int failing = dice.below(3) == 0 ? dice.below(24) : Integer.MAX_VALUE;
      int[] writes = new int[1];
      bench.memory.onWrite((pa, before, after) -> {
        if (!busy) {
          busy = true;
          look.run();
          busy = false;
          if (writes[0]++ == failing) {
            throw new BusErrorException("write", pa, Long.BYTES);
          }
        }
      });
      try {
        change.run();
        return true;
      } catch (BusErrorException | OutOfFramesException _) {
        return false;
      } finally {
        bench.failNever();
        bench.frames.limit(Long.MAX_VALUE);
      }
    }

    /// The device that changes does what it did, or what it will do, or ends; others notice nothing.
    private void between(int changing, Led then) {
      for (int device = 0; device < devices.length; device++) {
        for (int process : PROCESSES) {
          long iova = page(dice.below(PAGES + 2));
          long found = bench.write(device, process, iova);
          long was = expected(devices[device], process, iova);
          if (device == changing) {
            long will = expected(then, process, iova);
            assertTrue(
                found == Translator.FAULT || found == was || found == will,
                () -> "0x%x, which was 0x%x and will be 0x%x".formatted(found, was, will));
          } else {
            assertEquals(was, found, "device " + device + " has nothing to do with it");
          }
        }
      }
    }

    /// {@return one of the pages, or of the two files}
    private static long page(int number) {
      return number < PAGES ? IOVA + number * PAGE : FILES + (number - PAGES) * PAGE;
    }

    private void changePage(Space space) {
      int page = dice.below(PAGES);
      Iova at = new Iova(page(page));
      if (space.pages.remove(page) != null) {
        space.tables.unmap(at, PAGE);
      } else {
        next += PAGE;
        space.tables.map(at, new Pa(next), PAGE, Protection.READ_WRITE);
        space.pages.put(page, next);
      }
    }

    /// A file moves, often with something that fails: it is at the one place or at the other all the while, but for one in memory that also is noticed elsewhere.
    private void changeFile(int file) {
      next += PAGE;
      long was = files[file];
      long to = next;
      boolean memory = dice.below(3) == 0;
      long will = memory ? Translator.MESSAGE : dice.below(4) == 0 ? Translator.FAULT : to;
      Runnable change =
          memory
              ? () ->
                  host.lead(
                      file, new Resident(new Pa(to), new Pa(to & -PAGE), (int) (to >>> 12) & 0x7ff))
              : will == to ? () -> host.lead(file, new Pa(to)) : () -> host.end(file);
      Runnable look =
          () -> {
            for (int device = 0; device < devices.length; device++) {
              if (devices[device].space.filter(s -> s == second).isPresent()
                  && devices[device].nesting == Nesting.NONE) {
                long found = bench.write(device, -1, page(PAGES + file));
                boolean both = was == Translator.MESSAGE && memory;
                assertTrue(
                    found == was || found == will || both && found == Translator.FAULT,
                    () -> "0x%x, which was 0x%x and will be 0x%x".formatted(found, was, will));
              }
            }
          };
      if (succeeds(change, look)) {
        files[file] = will;
      }
    }

    /// The guest maps or unmaps a page, and says so where one of its devices might have it.
    private void changeGuest(int which) {
      int page = dice.below(PAGES);
      long at = page(page);
      if (guests.get(which).remove(page) == null) {
        long to = page(dice.below(PAGES + 2));
        guest.map(which, at, to);
        guests.get(which).put(page, to);
        return;
      }
      guest.unmap(which, at);
      for (int device = 0; device < devices.length; device++) {
        if (devices[device].space.filter(s -> s == second).isPresent()) {
          iommu.guestInvalidates(device, List.of(GuestTables.drop(which, at)));
          return;
        }
      }
    }

    private long expected(Led led, int process, long iova) {
      if (led.nesting != Nesting.NONE) {
        boolean own = process == GuestTables.PROCESS && led.nesting == Nesting.PROCESSES;
        Long gpa =
            process == -1 || own ? guests.get(own ? 1 : 0).get((int) ((iova - IOVA) / PAGE)) : null;
        return gpa == null ? Translator.FAULT : mapped(second, gpa);
      }
      if (process != -1) {
        Space space = led.processes.get(process);
        return space == null ? Translator.FAULT : mapped(space, iova);
      }
      return led.space
          .map(space -> mapped(space, iova))
          .orElse(led.whole == 1 ? iova : Translator.FAULT);
    }

    private long mapped(Space space, long at) {
      if (space == second && at >= FILES) {
        return files[(int) ((at - FILES) / PAGE)];
      }
      return space.pages.getOrDefault((int) ((at - IOVA) / PAGE), Translator.FAULT);
    }

    private void check() {
      RiscvIommuWalker walker = bench.walker();
      for (int device = 0; device < devices.length; device++) {
        for (int process : PROCESSES) {
          for (int page = 0; page < PAGES + 2; page++) {
            long expected = expected(devices[device], process, page(page));
            assertEquals(
                expected,
                bench.write(device, process, page(page)),
                "device %d, process %d, page %d".formatted(device, process, page));
            OptionalInt who = process < 0 ? OptionalInt.empty() : OptionalInt.of(process);
            RiscvIommuWalk walk = walker.walk(device, who, new Iova(page(page)), true);
            assertEquals(expected == Translator.MESSAGE, walk.file().isPresent(), walk::toString);
            if (expected != Translator.MESSAGE) {
              assertEquals(
                  expected, walk.output().map(Pa::value).orElse(Translator.FAULT), walk::toString);
            }
          }
        }
      }
    }
  }
}
