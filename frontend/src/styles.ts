/** Every style sheet of styles/, found by itself. A module of its own, because imports by glob come first in theirs. */
import.meta.glob("./styles/*.css", { eager: true });
