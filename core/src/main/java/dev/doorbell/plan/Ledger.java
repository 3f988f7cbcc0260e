package dev.doorbell.plan;

import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Unseen;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Counts vectors: what each function advertises, what its controller still has, what it will be granted.
final class Ledger {
  /// What a controller has left that does not say how many vectors it has.
  private static final int UNTOLD = Integer.MAX_VALUE;

  private Ledger() {}

  static List<LedgerLine> of(
      List<Subject> subjects,
      OptionalInt maxVectors,
      List<Conflict> conflicts,
      List<Unseen> unseen) {
    Map<String, Integer> left = new HashMap<>();
    List<LedgerLine> out = new ArrayList<>();
    for (Subject s : subjects) {
      if (!s.capabilitiesSeen()) {
        unseen.add(
            new Unseen(
                "MSI capabilities of " + s.sbdf(),
                "the part of its config space that tells is not in the capture",
                "its vectors are not counted; add a what-if function with --with to plan for it"));
      }
      out.add(line(s, maxVectors, left, conflicts));
    }
    return out;
  }

  private static LedgerLine line(
      Subject s, OptionalInt maxVectors, Map<String, Integer> left, List<Conflict> conflicts) {
    int advertised = s.advertised();
    int granted = advertised;
    String limit =
        s.msixVectors().isPresent()
            ? "MSI-X table of " + advertised
            : advertised > 0 ? "MSI capability of " + advertised : "no MSI capability";
    if (!s.capabilitiesSeen()) {
      limit = "unseen";
    }
    if (maxVectors.isPresent() && maxVectors.getAsInt() < granted) {
      granted = maxVectors.getAsInt();
      limit = "--max " + granted;
    }
    Optional<MsiControllerDescription> controller = s.controllers().stream().findFirst();
    if (controller.isEmpty() && granted > 0) {
      granted = 0;
      limit = "no MSI controller";
    }
    boolean apic = controller.orElse(null) instanceof MsiControllerDescription.LocalApic;
    if (apic && s.msixVectors().isEmpty() && granted > 1 && isOff(s)) {
      granted = 1;
      limit =
          "MSI capability of %d without interrupt remapping: it takes a block of as many vectors, aligned to its size, on one CPU, and Linux grants 1"
              .formatted(advertised);
    }
    if (apic && s.msixVectors().isEmpty() && granted > 1 && isUnseen(s)) {
      limit += "; were interrupts not remapped, which is not seen, Linux would grant 1";
    }
    int remapped = remapped(s);
    if (remapped < granted) {
      conflicts.add(shortage(s, s.iommu().orElseThrow(), granted, remapped));
      granted = remapped;
      limit = "%s remaps %d vectors of a function".formatted(s.iommu().orElseThrow().id(), granted);
    }
    return counted(s, new LedgerLine(s.sbdf(), advertised, granted, limit), left, conflicts);
  }

  /// Takes what a function may have from the controller where it will be taken.
  private static LedgerLine counted(
      Subject s, LedgerLine may, Map<String, Integer> left, List<Conflict> conflicts) {
    int granted = may.granted();
    String limit = may.limit();
    boolean msix = s.msixVectors().isPresent();
    int taken = msix ? granted : powerOfTwoFrom(granted);
    Optional<MsiControllerDescription> found = fitting(s, taken, left);
    if (found.isEmpty() || left(found.get(), left) == UNTOLD) {
      return may;
    }
    MsiControllerDescription c = found.get();
    int have = left(c, left);
    if (have < taken) {
      conflicts.add(shortage(s, c, granted, have));
      granted = msix ? have : Integer.highestOneBit(have);
      taken = granted;
      limit = "%s has %d vectors left of %d".formatted(c.id(), have, c.vectors().orElse(0));
      c = fitting(s, taken, left).orElse(c);
      have = left(c, left);
    }
    left.put(c.id(), have - taken);
    if (c instanceof MsiControllerDescription.LocalApic && taken > 0) {
      limit += "; %s had %d of %d vectors left".formatted(c.id(), have, c.vectors().orElse(0));
      limit +=
          " (%d a CPU, of which Linux 6.12 hands out %d)"
              .formatted(ApicDescription.VECTORS_PER_CPU, ApicDescription.LINUX_VECTORS_PER_CPU);
    }
    return new LedgerLine(s.sbdf(), may.advertised(), granted, limit);
  }

  /// {@return the first controller in a function's reach that has so many vectors left, else the one that has most, as `irq` takes them}
  private static Optional<MsiControllerDescription> fitting(
      Subject s, int taken, Map<String, Integer> left) {
    return s.controllers().stream()
        .filter(c -> left(c, left) >= taken)
        .findFirst()
        .or(() -> s.controllers().stream().max(Comparator.comparingInt(c -> left(c, left))));
  }

  private static int left(MsiControllerDescription c, Map<String, Integer> left) {
    return left.computeIfAbsent(c.id(), _ -> c.vectors().orElse(UNTOLD));
  }

  private static boolean isOff(Subject s) {
    return s.iommu()
        .flatMap(IommuDescription::interruptRemapping)
        .map(r -> r.state() == InterruptRemapping.State.OFF)
        .orElse(true);
  }

  private static boolean isUnseen(Subject s) {
    return s.iommu()
        .flatMap(IommuDescription::interruptRemapping)
        .map(r -> r.state() == InterruptRemapping.State.UNSEEN)
        .orElse(false);
  }

  /// {@return messages of the function that its IOMMU has entries for}
  private static int remapped(Subject s) {
    boolean amd = s.iommu().orElse(null) instanceof IommuDescription.AmdVi;
    return amd && !isOff(s) ? IommuDescription.AmdVi.REMAPPED_MESSAGES : Integer.MAX_VALUE;
  }

  /// Multi-message MSI takes a power of two at its controller and uses as many of them as were asked for (R18).
  private static int powerOfTwoFrom(int vectors) {
    int floor = Integer.highestOneBit(vectors);
    return floor == vectors ? vectors : floor + floor;
  }

  private static Conflict shortage(Subject s, IommuDescription i, int wanted, int have) {
    return new Conflict(
        "VectorsExhausted",
        Thing.named(s.sbdf() + " with " + wanted + " vectors", s.source()),
        Thing.named("%s with entries for %d".formatted(i.id(), have), i.source()),
        false,
        "%s can use %d vectors and %s remaps %d of a function"
            .formatted(s.sbdf(), wanted, i.id(), have),
        "the driver must do with " + have + " vectors, or limit it with --max " + have);
  }

  private static Conflict shortage(Subject s, MsiControllerDescription c, int wanted, int have) {
    return new Conflict(
        "VectorsExhausted",
        Thing.named(s.sbdf() + " with " + wanted + " vectors", s.source()),
        Thing.named(
            "%s with %d of %d vectors left".formatted(c.id(), have, c.vectors().orElse(0)),
            c.source()),
        have == 0,
        "%s can use %d vectors and %s has %d left".formatted(s.sbdf(), wanted, c.id(), have),
        have == 0
            ? "assign fewer functions behind " + c.id() + ", or limit the others with --max"
            : "the driver must do with " + have + " vectors, or limit it with --max " + have);
  }
}
