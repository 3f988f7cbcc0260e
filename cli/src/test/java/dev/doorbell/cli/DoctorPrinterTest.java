package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.doctor.Diagnosis;
import dev.doorbell.doctor.FunctionAnswer;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan.Answer;
import dev.doorbell.plan.Plan.Verdict;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("doctor, for people: what to do next")
class DoctorPrinterTest {
  private static FunctionAnswer answer(String sbdf, Answer answer, String driver) {
    return new FunctionAnswer(
        Sbdf.parse(sbdf),
        answer,
        "because",
        Optional.of(1),
        driver.isEmpty() ? Optional.empty() : Optional.of(driver),
        Optional.of("commands for " + sbdf));
  }

  /// {@return the last heading and what follows it}
  private static List<String> next(FunctionAnswer... functions) {
    StringWriter text = new StringWriter();
    try (PrintWriter out = new PrintWriter(text)) {
      new DoctorPrinter(new Console(out, out, false))
          .print(
              new Diagnosis(
                  new Verdict(Answer.YES, "all is well"), List.of(), List.of(functions), true));
    }
    List<String> lines = text.toString().lines().toList();
    return lines.subList(lines.size() - 2, lines.size());
  }

  @Test
  @DisplayName("the function that costs the host least comes first: a plain yes, without a driver")
  void cheapest() {
    FunctionAnswer disk = answer("0000:01:00.0", Answer.YES, "nvme");
    FunctionAnswer perhaps = answer("0000:02:00.0", Answer.CONDITIONAL, "");
    FunctionAnswer free = answer("0000:03:00.0", Answer.YES, "");
    assertEquals(
        List.of("Next, as root, for 0000:03:00.0", "  commands for 0000:03:00.0"),
        next(disk, perhaps, free));
    assertEquals(
        "Next, as root, for 0000:01:00.0, which takes it from nvme and stops what uses it",
        next(disk, perhaps).getFirst());
    assertTrue(next(perhaps).getFirst().endsWith("0000:02:00.0"));
  }
}
