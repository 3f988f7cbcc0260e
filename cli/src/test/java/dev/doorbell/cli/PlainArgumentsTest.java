package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.Property;
import dev.doorbell.testkit.SeededRandom;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@DisplayName(
    "doorbell inspect: plain arguments are read without picocli, and mean what they mean to it")
class PlainArgumentsTest {
  private static final String[] WORDS = {
    "--json",
    "--root",
    "a/b.c",
    "/",
    "0000:04:00.0",
    "--with",
    "--root=x",
    "-",
    "--",
    "@x",
    "",
    "-h",
    "'q'",
    "\"q\"",
    "a b",
    "$x",
    "${sys:user.dir}",
    "ä",
    "--on",
    "linux",
    "x,y",
    "--jso",
    "a=b",
    "..",
    "_",
    "a-"
  };

  private static final Console NOWHERE =
      new Console(
          new PrintWriter(Writer.nullWriter()), new PrintWriter(Writer.nullWriter()), false);

  private static String[] arguments(SeededRandom random) {
    int words = random.below(6);
    // Most of the time few kinds, so that many are plain.
    int kinds = random.below(3) == 0 ? WORDS.length : 5;
    return Stream.concat(
            Stream.of("inspect"), Stream.generate(() -> WORDS[random.below(kinds)]).limit(words))
        .toArray(String[]::new);
  }

  @Test
  @DisplayName("whatever is taken as plain, picocli reads the same out of it")
  void sameAsPicocli() {
    int[] taken = new int[1];
    Property.check(
        "arguments of inspect",
        2000,
        random -> {
          String[] args = arguments(random);
          Optional<InspectCommand> plain = InspectCommand.plain(NOWHERE, args);
          if (plain.isPresent()) {
            taken[0]++;
            InspectCommand parsed = new InspectCommand(NOWHERE);
            new CommandLine(parsed).parseArgs(Stream.of(args).skip(1).toArray(String[]::new));
            assertEquals(parsed.asked(), plain.get().asked(), String.join(" ", args));
          }
        });
    assertTrue(taken[0] > 200, "plain: " + taken[0]);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "inspect --help", "inspect --root", "inspect --root --json", "inspect --json --json",
        "inspect --root a --root b", "inspect @file", "inspect --with 0000:01:00.0,msi=1",
            "plan --json",
        "inspect --root=a", "inspect --on linux"
      })
  @DisplayName("everything else is picocli's, with its own messages")
  void notPlain(String line) {
    assertFalse(InspectCommand.plain(NOWHERE, line.split(" ")).isPresent());
  }
}
