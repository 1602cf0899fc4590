export default{render(){}};
