// The words of this project's texts: scripts/words.json; eslint.config.js holds the strings of the code to the same list.
const words = require('./scripts/words.json');
module.exports = {
  rules: { terminology: { defaultTerms: false, skip: [], terms: words.map(({ not, say }) => [not, say]) } },
};
